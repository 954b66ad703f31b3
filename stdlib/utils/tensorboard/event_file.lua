--- A file of events: TFRecords of protocol buffers, each with checksums, to which whole records are added.
--
-- A record is its length in 8 bytes, the checksum of these, its bytes, and their checksum. Nothing is held back: what
-- was added is with the system, and a kill loses at most the record that is being written.

local torch, class = require "torch", require "torch.class"
local pb = require "torch.utils.tensorboard.protobuf"
local core = torch.core

---@class tensorboard.EventFile
---@field path string
local EventFile = class "EventFile"

-- Numbers the files of this process.
local count = 0

---@param folder string  made if it is not there
---@param suffix string  of the file's name
function EventFile:init(folder, suffix)
  local host, process = core.host()
  -- The system's clock, in fractions of a second.
  self.begun, self.started = os.time(), torch.monotonic()
  core.make_folders(folder)
  self.path = ("%s/events.out.tfevents.%010d.%s.%d.%d%s"):format(folder, self.begun, host, process, count, suffix)
  count = count + 1
  self:add(pb.bytes(3, "brain.Event:2"))
end

-- CRC-32C, turned and shifted, so that checksums of checksums tell something (TensorFlow's record_writer.h).
local function masked_checksum(bytes)
  local crc = core.crc32c(bytes)
  local turned = bit.ror(bit.tobit(crc), 15)
  return pb.little_endian((turned + 0xa282ead8) % 2 ^ 32, 4)
end

--- Adds an event of the fields that are given as their encoding.
---@param fields string
---@param step? integer
---@param walltime? number  seconds since 1970. Default: now.
function EventFile:add(fields, step, walltime)
  walltime = walltime or self.begun + torch.monotonic() - self.started
  local event = pb.double(1, walltime) .. pb.varint(2, step) .. fields
  local length = pb.little_endian(#event, 8)
  core.append_file(self.path, length .. masked_checksum(length) .. event .. masked_checksum(event))
end

return EventFile
