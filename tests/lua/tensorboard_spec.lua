local bit = require "bit"
local torch = require "torch"
local spec, files, shell = require "spec", require "files", require "shell"
local describe, it, equal, fails = spec.describe, spec.it, spec.equal, spec.fails
local core, SummaryWriter = torch.core, torch.utils.tensorboard.SummaryWriter
local has_png = pcall(core.encode_png, torch.zeros(1, 1, 1, { dtype = torch.uint8 }), 6)

-- Reading back ----------------------------------------------------------------------------------------------------

local function little_endian(bytes)
  local n = 0
  for i = #bytes, 1, -1 do n = n * 256 + bytes:byte(i) end
  return n
end

local function check_crc(bytes, stored)
  local turned = bit.ror(bit.tobit(core.crc32c(bytes)), 15)
  equal(little_endian(stored), (turned + 0xa282ead8) % 2 ^ 32)
end

-- The whole records of a file, whose checksums must be right, and how many bytes are left at its end.
local function records(bytes)
  local list, at = {}, 1
  while at + 12 <= #bytes do
    local length = little_endian(bytes:sub(at, at + 7))
    check_crc(bytes:sub(at, at + 7), bytes:sub(at + 8, at + 11))
    if at + 16 + length - 1 > #bytes then break end
    local event = bytes:sub(at + 12, at + 11 + length)
    check_crc(event, bytes:sub(at + 12 + length, at + 15 + length))
    list[#list + 1], at = event, at + 16 + length
  end
  return list, #bytes - at + 1
end

local function varint(bytes, at)
  local n, scale = 0, 1
  while true do
    local b = bytes:byte(at)
    n, scale, at = n + b % 128 * scale, scale * 128, at + 1
    if b < 128 then return n, at end
  end
end

-- The fields of a message: { number, bytes or whole number }.
local function fields(bytes)
  local list, at = {}, 1
  while at <= #bytes do
    local key, value
    key, at = varint(bytes, at)
    local kind = key % 8
    if kind == 0 then
      value, at = varint(bytes, at)
    else
      local length = kind == 1 and 8 or 4
      if kind == 2 then length, at = varint(bytes, at) end
      value, at = bytes:sub(at, at + length - 1), at + length
    end
    list[#list + 1] = { math.floor(key / 8), value }
  end
  return list
end

local function field(bytes, ...)
  for _, number in ipairs { ... } do
    local found
    for _, one in ipairs(fields(bytes)) do
      if one[1] == number then found = found or one[2] end
    end
    bytes = found
  end
  return bytes
end

local function numbers(bytes, dtype)
  local list = core.frombytes(bytes, 0, { #bytes / (dtype == torch.float64 and 8 or 4) }, dtype):tolist()
  return #list == 1 and list[1] or list
end

-- A folder that is there while `body(folder)` runs.
local function with_folder(body)
  local folder = shell.folder()
  local good, problem = pcall(body, folder)
  os.execute("rm -rf '" .. folder .. "'")
  if not good then error(problem, 0) end
end

-- The events that `write(writer)` leaves in the writer's own file, but for the first, which names the version.
local function events_of(write)
  local list
  with_folder(function(folder)
    local writer = SummaryWriter(folder)
    local path = writer.file.path
    write(writer)
    list = records(core.read_file(path))
  end)
  equal(field(table.remove(list, 1), 3), "brain.Event:2")
  return list
end

-- The value of the only summary that `write` adds.
local function value_of(write)
  local events = events_of(write)
  equal(#events, 1)
  return field(events[1], 5, 1)
end

-- -----------------------------------------------------------------------------------------------------------------

describe("checksums", function()
  it("are CRC-32C", function()
    -- RFC 3720, appendix B.4, and the check value of the polynomial
    equal(core.crc32c("123456789"), 0xe3069283)
    equal(core.crc32c(("\0"):rep(32)), 0x8a9136aa)
    equal(core.crc32c(("\255"):rep(32)), 0x62a8ab43)
    equal(core.crc32c(""), 0)
  end)
end)

describe("an event file", function()
  it("has scalars with step and time", function()
    local events = events_of(function(writer)
      writer:add_scalar("loss/train", 0.25, 7, 1234.5)
      writer:add_scalar("loss/train", torch.tensor(3.5), { global_step = 300 })
      writer:add_scalar("no step", -1)
    end)
    equal(#events, 3)
    equal(numbers(field(events[1], 1), torch.float64), 1234.5)
    equal(field(events[1], 2), 7)
    equal(field(events[2], 2), 300)
    equal(field(events[3], 2), nil)
    equal(field(events[1], 5, 1, 1), "loss/train")
    equal(field(events[3], 5, 1, 1), "no_step")
    for i, expected in ipairs { 0.25, 3.5, -1 } do
      equal(numbers(field(events[i], 5, 1, 2), torch.float32), expected)
    end
    assert(math.abs(numbers(field(events[2], 1), torch.float64) - os.time()) < 3600)
  end)

  it("rounds numbers to 32 bits as the machine does", function()
    local values = { 0, 1 / 3, -1 / 3, 16777217, 16777219, 1e-42, -1.4e-45, 3.4028235e38, 1e300, math.huge, -math.huge,
      2 ^ -126, 2 ^ -149, 1.9999999999 }
    local events = events_of(function(writer)
      for _, v in ipairs(values) do writer:add_scalar("x", v) end
      writer:add_scalar("nan", 0 / 0)
    end)
    local expected = torch.tensor(values, { dtype = torch.float64 }):to(torch.float32):tolist()
    for i, v in ipairs(expected) do
      local got = numbers(field(events[i], 5, 1, 2), torch.float32)
      assert(got == v, ("%.17g became %.17g"):format(v, got))
    end
    local got = numbers(field(events[#events], 5, 1, 2), torch.float32)
    assert(got ~= got)
  end)

  it("has 64-bit numbers bit for bit", function()
    for _, v in ipairs { 1 / 3, -5e-324, 2 ^ -1022, 1.7976931348623157e308, 2 ^ 53 + 2, 1e-310 } do
      local event = events_of(function(writer) writer:add_scalar("x", 0, 0, v) end)[1]
      assert(numbers(field(event, 1), torch.float64) == v)
    end
  end)

  it("has histograms in TensorFlow's bins, or in others", function()
    local histo = field(value_of(function(w) w:add_histogram("h", torch.tensor { -1, 0, 0.5, 0.5, 2 }) end), 5)
    equal(numbers(field(histo, 1), torch.float64), -1)
    equal(numbers(field(histo, 2), torch.float64), 2)
    equal(numbers(field(histo, 3), torch.float64), 5)
    equal(numbers(field(histo, 4), torch.float64), 2)
    equal(numbers(field(histo, 5), torch.float64), 5.5)
    local limits, counts = numbers(field(histo, 6), torch.float64), numbers(field(histo, 7), torch.float64)
    equal(#limits, #counts)
    for i, limit in ipairs(limits) do -- a bin reaches from the limit before to its own
      local expected = 0
      for _, v in ipairs { -1, 0, 0.5, 0.5, 2 } do
        if i > 1 and v >= limits[i - 1] and v < limit then expected = expected + 1 end
      end
      equal(counts[i], expected)
    end
    histo = field(value_of(function(w) w:add_histogram("h", { 1, 2, 2, 3, 9 }, 1, { 0, 1, 2, 3, 4 }) end), 5)
    equal(numbers(field(histo, 6), torch.float64), { 1, 2, 3, 4 })
    equal(numbers(field(histo, 7), torch.float64), { 0, 1, 2, 1 })
    histo = field(value_of(function(w) w:add_histogram("h", { 1, 2, 2, 3, 0 / 0 }, 1, 2) end), 5)
    equal(numbers(field(histo, 6), torch.float64), { 1, 2, 3 })
    equal(numbers(field(histo, 7), torch.float64), { 0, 1, 3 })
    histo = field(value_of(function(w) w:add_histogram("h", torch.ones(4), 1, "auto") end), 5)
    equal(numbers(field(histo, 3), torch.float64), 4)
  end)

  if has_png then
    it("has pictures of any layout", function()
      local x = torch.arange(3 * 4 * 5):reshape(3, 4, 5):to(torch.uint8)
      for format, picture in pairs { CHW = x, HWC = x:permute(2, 3, 1) } do
        local image = field(value_of(function(w) w:add_image("i", picture, 1, { dataformats = format }) end), 4)
        equal({ field(image, 1), field(image, 2), field(image, 3) }, { 4, 5, 3 })
        equal(torch.vision.io.decode_image(field(image, 4)), x)
      end
      local gray = torch.tensor { { 0, 0.5, 1.7 }, { -1, 1, 0 / 0 } }
      local image = field(value_of(function(w) w:add_image("i", gray, { dataformats = "HW" }) end), 4)
      equal(torch.vision.io.decode_image(field(image, 4))[2], torch.tensor({ { 0, 127, 255 }, { 0, 255, 0 } },
        { dtype = torch.uint8 }))
      local many = torch.zeros(9, 1, 2, 3)
      many[9] = 1
      image = field(value_of(function(w) w:add_images("i", many) end), 4)
      local grid = torch.vision.io.decode_image(field(image, 4))
      equal(grid:size(), torch.zeros(3, 4, 24):size())
      equal(grid:sum():item(), 255 * 3 * 6)
      equal(grid[{ 1, 3, 3 }]:item(), 255)
      local figure = torch.plot.line({ 1, 2 }, { width = 100, height = 80 })
      image = field(value_of(function(w) w:add_figure("f", figure) end), 4)
      equal({ field(image, 1), field(image, 2) }, { 160, 200 })
    end)
  end

  it("has text", function()
    local value = value_of(function(writer) writer:add_text("note", "**one** ü", 3) end)
    equal(field(value, 1), "note/text_summary")
    equal(field(value, 9, 1, 1), "text")
    equal(field(value, 8, 8), "**one** ü")
    equal(field(value, 8, 1), 7)
  end)

  it("is whole up to the last record, wherever it is cut", function()
    with_folder(function(folder)
      local writer = SummaryWriter(folder)
      for i = 1, 3 do writer:add_scalar("x", i, i) end
      local bytes = core.read_file(writer.file.path) -- nothing was flushed or closed
      local all = records(bytes)
      equal(#all, 4)
      for n = 0, #bytes - 1 do
        local list = records(bytes:sub(1, n))
        assert(#list < 4)
        for i, event in ipairs(list) do equal(event, all[i]) end
      end
    end)
  end)
end)

describe("a summary writer", function()
  it("leaves whole records where the disk is full", function()
    with_folder(function(folder)
      local script = shell.write(folder .. "/script.lua", [[
local writer = torch.utils.tensorboard.SummaryWriter(arg[1])
for step = 1, 1000 do
  local good, problem = pcall(writer.add_scalar, writer, "x", step, step)
  if not good then
    print(problem)
    break
  end
end
]])
      -- a file may grow to 8 blocks of 512 or 1024 bytes
      local command = ("trap '' XFSZ; ulimit -f 8; %s %s %s/run 2>&1"):format(shell.program, script, folder)
      local said = shell.output_of(command)
      assert(said:find("append_file: cannot write '" .. folder, 1, true), said)
      assert(said:find("(File too large)", 1, true), said)
      local path = shell.output_of(("ls %s/run/*"):format(folder)):gsub("\n$", "")
      local list, left = records(core.read_file(path))
      assert(#list > 50 and left == 0, ("%d records, %d bytes more"):format(#list, left))
    end)
  end)

  it("leaves all that it added when the program is killed", function()
    with_folder(function(folder)
      local script = shell.write(folder .. "/script.lua", [[
local writer = torch.utils.tensorboard.SummaryWriter(arg[1])
for step = 1, 50 do writer:add_scalar("x", step, step) end
os.execute("kill -9 $PPID")
]])
      shell.output_of(("%s %s %s/run 2>&1"):format(shell.program, script, folder))
      local path = shell.output_of(("ls %s/run/*"):format(folder)):gsub("\n$", "")
      local list, left = records(core.read_file(path))
      equal({ #list, left }, { 51, 0 })
    end)
  end)

  it("makes folders for groups of scalars and for hyperparameters", function()
    with_folder(function(folder)
      local writer = SummaryWriter(folder .. "/deep/run")
      writer:add_scalars("loss", { train = 1, test = torch.tensor(2) }, 5)
      writer:add_hparams({ lr = 0.1, name = "adam", nesterov = true }, { accuracy = 0.5 }, { run_name = "first" })
      local found = {}
      for name, below in pairs(writer.others) do found[name] = records(core.read_file(below.file.path)) end
      equal(numbers(field(found.loss_test[2], 5, 1, 2), torch.float32), 2)
      equal(field(found.loss_train[2], 5, 1, 1), "loss")
      local run = found.first
      equal(#run, 5)
      equal(field(run[2], 5, 1, 9, 1, 1), "hparams")
      local start = fields(field(run[3], 5, 1, 9, 1, 2, 3))
      equal({ field(start[1][2], 1), field(start[2][2], 1), field(start[3][2], 1) }, { "lr", "name", "nesterov" })
      equal(numbers(field(start[1][2], 2, 2), torch.float64), 0.1)
      equal(field(start[2][2], 2, 3), "adam")
      equal(field(start[3][2], 2, 4), 1)
      equal(field(run[5], 5, 1, 1), "accuracy")
      writer:close()
      fails(function() writer:add_scalar("x", 1) end, "add_scalar: the writer is closed")
    end)
  end)

  it("forgets what came after a crash", function()
    with_folder(function(folder)
      local writer = SummaryWriter(folder, { purge_step = 40 })
      local events = records(core.read_file(writer.file.path))
      equal({ field(events[2], 2), field(events[2], 7, 1) }, { 40, 1 })
    end)
  end)

  it("says what it cannot do", function()
    with_folder(function(folder)
      local w = SummaryWriter(folder)
      fails(function() w:add_scalar("x", "1") end, "add_scalar: expected a number, got a string")
      fails(function() w:add_scalar("x", torch.zeros(2)) end, "add_scalar: expected one number, got a tensor of")
      fails(function() w:add_scalar("x", 1, -1) end, "add_scalar: global_step is at least 0, got -1")
      fails(function() w:add_scalars("x", 1) end, "add_scalars: expected a table of numbers by name, got a number")
      fails(function() w:add_histogram("x", torch.zeros(0)) end, "add_histogram: there are no finite values")
      fails(function() w:add_histogram("x", { 1 }, 1, { 5, 6 }) end, "add_histogram: no value lies in the bins")
      fails(function() w:add_histogram("x", { 1 }, 1, "best") end, "add_histogram: bins is 'tensorflow', 'auto'")
      fails(function() w:add_image("x", torch.zeros(2, 3, 4)) end, "add_image: a picture has 1, 3 or 4 channels, got 2")
      fails(function() w:add_image("x", torch.zeros(3, 4)) end, "add_image: CHW has 3 dimensions, got")
      fails(function() w:add_hparams({ x = {} }, {}) end, "add_hparams: 'x' is a string, a number or a boolean")
      fails(function() SummaryWriter(w.file.path .. "/below") end, "make_folders: cannot make the folder")
      fails(function() SummaryWriter(w.file.path) end, "is not a folder")
      os.execute("rm -rf '" .. folder .. "'")
      fails(function() w:add_scalar("x", 1) end, "append_file: cannot write '" .. folder)
    end)
  end)
end)

describe("TensorBoard's own reader", function()
  it("reads what was written", function()
    with_folder(function(folder)
      local w = SummaryWriter(folder)
      w:add_scalar("loss", 0.5, 3)
      w:add_histogram("weights", torch.arange(10), 4)
      w:add_text("note", "hello", 5)
      if has_png then w:add_image("picture", torch.zeros(3, 6, 7), 6) end
      local said = files.python("tensorboard", [[
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
events = EventAccumulator(sys.argv[1])
events.Reload()
scalar, histogram = events.Scalars("loss")[0], events.Histograms("weights")[0]
text = events.Tensors("note/text_summary")[0].tensor_proto.string_val[0].decode()
picture = events.Images("picture")[0] if events.Tags()["images"] else None
print(scalar.step, scalar.value, histogram.histogram_value.num, text, picture and (picture.height, picture.width))
]], folder)
      if not said then return end
      equal(said:match("[^\n]*\n$"), ("3 0.5 10.0 hello %s\n"):format(has_png and "(6, 7)" or "None"))
    end)
  end)
end)
