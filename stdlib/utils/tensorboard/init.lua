--- torch.utils.tensorboard: event files that TensorBoard shows.
--
--     local writer = torch.utils.tensorboard.SummaryWriter "runs/first"
--     writer:add_scalar("loss/train", loss:item(), step)
--     writer:add_histogram("weights", model[1].weight, step)
--     writer:close()
--
-- then `tensorboard --logdir runs`. Every call adds its record to the file at once.

local torch, class, check = require "torch", require "torch.class", require "torch.check"
local EventFile = require "torch.utils.tensorboard.event_file"
local pb = require "torch.utils.tensorboard.protobuf"
local core = torch.core

--- Writes into a file of its own in `log_dir`, by default `runs/DATE_HOST` and the comment. With `purge_step`
--- TensorBoard forgets what other files of the folder have from that step on, as after a crash.
---@class tensorboard.SummaryWriter
---@field log_dir string
local SummaryWriter = class("SummaryWriter(str? log_dir=None, str comment='', *, int? purge_step=None, "
  .. "str filename_suffix='')")

function SummaryWriter:init(opt)
  self.log_dir = opt.log_dir or ("runs/%s_%s%s"):format(os.date "%b%d_%H-%M-%S", (core.host()), opt.comment)
  self.suffix, self.others = opt.filename_suffix, {}
  self.file = EventFile(self.log_dir, self.suffix)
  if opt.purge_step then
    check(opt.purge_step >= 0, "SummaryWriter: purge_step is at least 0, got %s", opt.purge_step)
    self.file:add(pb.bytes(7, pb.varint(1, 1)), opt.purge_step) -- SessionLog: START
  end
end

--- Where the events go.
---@return string
function SummaryWriter:get_logdir() return self.log_dir end

-- The tag as PyTorch writes it: without leading slashes, with `_` for what paths and TensorBoard do not take.
local function clean(tag)
  return (tag:gsub("[^%w_./\128-\255-]", "_"):gsub("^/+", ""))
end

-- Adds a summary that is encoded, or whose one value is `fields` besides the tag.
function SummaryWriter:_add(name, opt, tag, fields)
  check(self.file, "%s: the writer is closed", name)
  check(not opt.global_step or opt.global_step >= 0, "%s: global_step is at least 0, got %s", name, opt.global_step)
  local value = pb.bytes(1, clean(tag)) .. fields
  self.file:add(pb.bytes(5, pb.bytes(1, value)), opt.global_step, opt.walltime)
end

local function number_of(x, name)
  if torch.is_tensor(x) then
    check(x:numel() == 1, "%s: expected one number, got a tensor of %s", name, tostring(x:size()))
    x = x:item()
  end
  local number = tonumber(x)
  return check(type(x) ~= "string" and number, "%s: expected a number, got a %s", name, class.type(x))
end

-- What all calls take besides.
local when = ", int? global_step=None, float? walltime=None"

local read_scalar = core.signature("add_scalar(str tag, any scalar_value" .. when .. ")")

--- A number that changes from step to step.
---@param tag string           slashes group: "loss/train"
---@param scalar_value number|torch.Tensor
---@param global_step? integer from 0
---@param walltime? number     seconds since 1970. Default, here and below: now.
function SummaryWriter:add_scalar(...)
  local opt = read_scalar(...)
  self:_add("add_scalar", opt, opt.tag, pb.float(2, number_of(opt.scalar_value, "add_scalar")))
end

-- The writer of a folder below this one's.
function SummaryWriter:_below(name)
  check(self.file, "SummaryWriter: the writer is closed")
  name = clean(name):gsub("/", "_")
  local folder = self.log_dir .. "/" .. name
  self.others[name] = self.others[name] or SummaryWriter(folder, { filename_suffix = self.suffix })
  return self.others[name]
end

local read_scalars = core.signature("add_scalars(str main_tag, any tag_scalar_dict" .. when .. ")")

--- Several numbers in one picture; each is a run of its own, in a folder below.
---@param main_tag string
---@param tag_scalar_dict table<string, number|torch.Tensor>
---@param global_step? integer
---@param walltime? number
function SummaryWriter:add_scalars(...)
  local opt = read_scalars(...)
  check(type(opt.tag_scalar_dict) == "table", "add_scalars: expected a table of numbers by name, got a %s",
    class.type(opt.tag_scalar_dict))
  local names = {}
  for name in pairs(opt.tag_scalar_dict) do names[#names + 1] = tostring(name) end
  table.sort(names)
  for _, name in ipairs(names) do
    self:_below(opt.main_tag .. "_" .. name):add_scalar(opt.main_tag, opt.tag_scalar_dict[name],
      { global_step = opt.global_step, walltime = opt.walltime })
  end
end

local read_histogram = core.signature("add_histogram(str tag, any values, int? global_step=None, "
  .. "any bins='tensorflow', float? walltime=None)")

--- How values are distributed.
---@param tag string
---@param values torch.Tensor|number[]
---@param global_step? integer
---@param bins? "tensorflow"|"auto"|integer|number[]  bins that grow with the distance from 0 (default), bins of one
---  width as the values suggest, so many of one width, or the bins' edges
---@param walltime? number
function SummaryWriter:add_histogram(...)
  local opt = read_histogram(...)
  local values = torch.is_tensor(opt.values) and opt.values or torch.tensor(opt.values, { dtype = torch.float64 })
  local encoded = require "torch.utils.tensorboard.histogram"(values, opt.bins)
  self:_add("add_histogram", opt, opt.tag, pb.bytes(5, encoded))
end

local function add_picture(self, name, opt)
  local encoded = require "torch.utils.tensorboard.picture"(opt.img_tensor, opt.dataformats, name)
  self:_add(name, opt, opt.tag, pb.bytes(4, encoded))
end

local read_image = core.signature("add_image(str tag, Tensor img_tensor" .. when .. ", *, str dataformats='CHW')")

--- A picture: uint8, or numbers from 0 to 1, with 1, 3 or 4 channels.
---@param tag string
---@param img_tensor torch.Tensor
---@param global_step? integer
---@param walltime? number
---@param options? { dataformats: string }  "CHW" (default), "HWC" or "HW"
function SummaryWriter:add_image(...) add_picture(self, "add_image", read_image(...)) end

local read_images = core.signature("add_images(str tag, Tensor img_tensor" .. when .. ", *, str dataformats='NCHW')")

--- Pictures side by side, eight in a row.
---@param tag string
---@param img_tensor torch.Tensor
---@param global_step? integer
---@param walltime? number
---@param options? { dataformats: string }  "NCHW" (default), "NHWC", or as for `add_image`
function SummaryWriter:add_images(...) add_picture(self, "add_images", read_images(...)) end

local read_figure = core.signature("add_figure(str tag, any figure" .. when .. ")")

--- A figure of `torch.plot` as a picture.
---@param tag string
---@param figure plot.Figure
---@param global_step? integer
---@param walltime? number
function SummaryWriter:add_figure(...)
  local opt = read_figure(...)
  check(type(opt.figure) == "table" and type(opt.figure.pixels) == "function",
    "add_figure: expected a figure of torch.plot, got a %s", class.type(opt.figure))
  opt.img_tensor, opt.dataformats = opt.figure:pixels(), "CHW"
  add_picture(self, "add_figure", opt)
end

local read_text = core.signature("add_text(str tag, str text_string" .. when .. ")")

--- Text; TensorBoard reads Markdown.
---@param tag string
---@param text_string string
---@param global_step? integer
---@param walltime? number
function SummaryWriter:add_text(...)
  local opt = read_text(...)
  local metadata = pb.bytes(1, pb.bytes(1, "text") .. pb.bytes(2, ""))
  local shape = pb.bytes(2, pb.varint(1, 1))
  local tensor = pb.varint(1, 7) .. pb.bytes(2, shape) .. pb.bytes(8, opt.text_string) -- DT_STRING [1]
  self:_add("add_text", opt, opt.tag .. "/text_summary", pb.bytes(8, tensor) .. pb.bytes(9, metadata))
end

local read_hparams = core.signature("add_hparams(any hparam_dict, any metric_dict, *, str? run_name=None, "
  .. "int? global_step=None)")

--- What a run was made with and what came of it, for the table of all runs. It becomes a run of its own in a folder
--- below.
---@param hparam_dict table<string, string|number|boolean>
---@param metric_dict table<string, number|torch.Tensor>  also added as scalars
---@param options? { run_name: string, global_step: integer }  the folder's name. Default: the time.
function SummaryWriter:add_hparams(...)
  local opt = read_hparams(...)
  check(type(opt.hparam_dict) == "table" and type(opt.metric_dict) == "table",
    "add_hparams: expected two tables, of hyperparameters and of metrics")
  local summaries = require "torch.utils.tensorboard.hparams"(opt.hparam_dict, opt.metric_dict)
  local below = self:_below(opt.run_name or ("%d"):format(os.time()))
  for _, summary in ipairs(summaries) do below.file:add(pb.bytes(5, summary)) end
  for name, value in pairs(opt.metric_dict) do below:add_scalar(name, value, opt.global_step) end
end

--- Does nothing: what was added is in the file already.
function SummaryWriter:flush() end

--- Nothing can be added afterwards.
function SummaryWriter:close()
  for _, other in pairs(self.others) do other:close() end
  self.file = nil
end

return { SummaryWriter = SummaryWriter }
