--- Images in folders, one folder for each class.

local torch, class, check = require "torch", require "torch.class", require "torch.check"
local options = require "torch.nn.options"
local core = torch.core

local ENDINGS = { png = true, jpg = true, jpeg = true }

-- Paths of the files below a folder, in order, that `accepts`.
local function files_below(folder, accepts, into)
  for _, entry in ipairs(core.list_folder(folder, "ImageFolder")) do
    local path = folder .. "/" .. entry
    if entry:sub(-1) == "/" then
      files_below(path:sub(1, -2), accepts, into)
    elseif accepts(path) then
      into[#into + 1] = path
    end
  end
  return into
end

--- The PNG and JPEG files below `root/CLASS/`, as RGB images. `loader(path)` reads others, `is_valid_file(path)` says
--- which files are samples.
---@class vision.ImageFolder: data.Dataset
---@field classes string[]                     names of the folders, in order
---@field class_to_idx table<string, integer>  the same the other way round
---@field samples {[1]: string, [2]: integer}[]  path and class of each
---@field targets integer[]
local ImageFolder = class("ImageFolder(str root, any transform=None, any target_transform=None, any loader=None, "
  .. "any is_valid_file=None)", torch.utils.data.Dataset)

local function read_rgb(path) return torch.vision.read_image(path, "rgb") end

local function is_image(path) return ENDINGS[(path:match "%.(%w+)$" or ""):lower()] == true end

function ImageFolder:init(opt)
  for _, name in ipairs { "transform", "target_transform", "loader", "is_valid_file" } do
    check(opt[name] == nil or options.callable.holds(opt[name]), "ImageFolder: %s is a function, got a %s", name,
      class.type(opt[name]))
  end
  self.root, self.transform, self.target_transform = opt.root, opt.transform, opt.target_transform
  self.loader = opt.loader or read_rgb
  self.classes, self.class_to_idx, self.samples, self.targets = {}, {}, {}, {}
  for _, entry in ipairs(core.list_folder(opt.root, "ImageFolder")) do
    if entry:sub(-1) == "/" then self:_add(entry:sub(1, -2), opt.is_valid_file or is_image) end
  end
  check(#self.classes > 0, "ImageFolder: '%s' has no folders for classes", opt.root)
end

function ImageFolder:_add(name, accepts)
  local number = #self.classes + 1
  self.classes[number], self.class_to_idx[name] = name, number
  local paths = files_below(self.root .. "/" .. name, accepts, {})
  check(#paths > 0, "ImageFolder: '%s/%s' has no images", self.root, name)
  for _, path in ipairs(paths) do
    self.samples[#self.samples + 1] = { path, number }
    self.targets[#self.samples] = number
  end
end

---@return integer
function ImageFolder:size()
  return #self.samples
end

---@param i integer
---@return torch.Tensor image, integer class
function ImageFolder:get(i)
  local sample = check(self.samples[i], "ImageFolder: sample %s is outside 1..%s", tostring(i), #self.samples)
  local image, target = self.loader(sample[1]), sample[2]
  if self.transform then image = self.transform(image) end
  if self.target_transform then target = self.target_transform(target) end
  return image, target
end

return { ImageFolder = ImageFolder }
