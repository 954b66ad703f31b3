--- Inception v3: branches of small windows, and of rows and columns instead of squares (Szegedy et al. 2015).

local torch, class = require "torch", require "torch.class"
local nn, F, init = torch.nn, torch.nn.functional, torch.nn.init
local Classifier, layers = require "torch.vision.models.classifier", require "torch.vision.models.layers"
local BasicConv2d = layers.BasicConv2d

-- A block is a list of branches, a branch a list of steps: { name, outputs, window = 1, stride = 1 }, or "mean" or
-- "max" of windows of 3 x 3. A step that is a pair of such goes two ways, and both results go on. With a stride,
-- nothing is padded.
local ROW7, COLUMN7, ROW3, COLUMN3 = { 1, 7 }, { 7, 1 }, { 1, 3 }, { 3, 1 }

local function block_a(pooled)
  return {
    { { "branch1x1", 64 } },
    { { "branch5x5_1", 48 }, { "branch5x5_2", 64, 5 } },
    { { "branch3x3dbl_1", 64 }, { "branch3x3dbl_2", 96, 3 }, { "branch3x3dbl_3", 96, 3 } },
    { "mean", { "branch_pool", pooled } },
  }
end

local BLOCK_B = {
  { { "branch3x3", 384, 3, 2 } },
  { { "branch3x3dbl_1", 64 }, { "branch3x3dbl_2", 96, 3 }, { "branch3x3dbl_3", 96, 3, 2 } },
  { "max" },
}

local function block_c(n)
  return {
    { { "branch1x1", 192 } },
    { { "branch7x7_1", n }, { "branch7x7_2", n, ROW7 }, { "branch7x7_3", 192, COLUMN7 } },
    { { "branch7x7dbl_1", n }, { "branch7x7dbl_2", n, COLUMN7 }, { "branch7x7dbl_3", n, ROW7 },
      { "branch7x7dbl_4", n, COLUMN7 }, { "branch7x7dbl_5", 192, ROW7 } },
    { "mean", { "branch_pool", 192 } },
  }
end

local BLOCK_D = {
  { { "branch3x3_1", 192 }, { "branch3x3_2", 320, 3, 2 } },
  { { "branch7x7x3_1", 192 }, { "branch7x7x3_2", 192, ROW7 }, { "branch7x7x3_3", 192, COLUMN7 },
    { "branch7x7x3_4", 192, 3, 2 } },
  { "max" },
}

local BLOCK_E = {
  { { "branch1x1", 320 } },
  { { "branch3x3_1", 384 }, { { "branch3x3_2a", 384, ROW3 }, { "branch3x3_2b", 384, COLUMN3 } } },
  { { "branch3x3dbl_1", 448 }, { "branch3x3dbl_2", 384, 3 },
    { { "branch3x3dbl_3a", 384, ROW3 }, { "branch3x3dbl_3b", 384, COLUMN3 } } },
  { "mean", { "branch_pool", 192 } },
}

local Mixed = class("Mixed(int inputs, any branches)", nn.Module)
Mixed.format = ""

function Mixed:_add(step, inputs)
  local name, outputs, kernel, stride = unpack(step)
  self[name] = BasicConv2d(inputs, outputs, kernel or 1, stride or 1, not stride)
  return outputs
end

function Mixed:init(opt)
  for _, branch in ipairs(opt.branches) do
    local inputs = opt.inputs
    for _, step in ipairs(branch) do
      local is_pair = type(step[1]) == "table"
      if is_pair then
        for _, way in ipairs(step) do self:_add(way, inputs) end
      elseif type(step) == "table" then
        inputs = self:_add(step, inputs)
      end
    end
  end
end

function Mixed:_step(step, x)
  if step == "mean" then return F.avg_pool2d(x, 3, 1, 1) end
  if step == "max" then return F.max_pool2d(x, 3, 2) end
  if type(step[1]) == "string" then return self[step[1]](x) end
  return torch.cat({ self:_step(step[1], x), self:_step(step[2], x) }, 2)
end

function Mixed:forward(x)
  local results = {}
  for i, branch in ipairs(self.branches) do
    local y = x
    for _, step in ipairs(branch) do y = self:_step(step, y) end
    results[i] = y
  end
  return torch.cat(results, 2)
end

-- A second opinion from the middle of the network, for training only.
local InceptionAux = class("InceptionAux(int inputs, int num_classes)", nn.Module)
InceptionAux.format = ""

function InceptionAux:init(opt)
  self.conv0 = BasicConv2d(opt.inputs, 128)
  self.conv1 = BasicConv2d(128, 768, 5, 1, false)
  self.fc = nn.Linear(768, opt.num_classes)
end

function InceptionAux:forward(x)
  x = self.conv1(self.conv0(F.avg_pool2d(x, 5, 3)))
  return self.fc(F.adaptive_avg_pool2d(x, { 1, 1 }):flatten(2))
end

-- The blocks before and behind the second opinion: names, channels that go in, branches.
local FIRST = {
  { "Mixed_5b", 192, block_a(32) }, { "Mixed_5c", 256, block_a(64) }, { "Mixed_5d", 288, block_a(64) },
  { "Mixed_6a", 288, BLOCK_B }, { "Mixed_6b", 768, block_c(128) }, { "Mixed_6c", 768, block_c(160) },
  { "Mixed_6d", 768, block_c(160) }, { "Mixed_6e", 768, block_c(192) },
}
local LAST = { { "Mixed_7a", 768, BLOCK_D }, { "Mixed_7b", 1280, BLOCK_E }, { "Mixed_7c", 2048, BLOCK_E } }

---@class vision.Inception3: vision.Classifier
local Inception3 = class("Inception3(int num_classes=1000, bool aux_logits=True, bool transform_input=False, "
  .. "float dropout=0.5)", Classifier)

function Inception3:init(opt)
  self.Conv2d_1a_3x3 = BasicConv2d(3, 32, 3, 2, false)
  self.Conv2d_2a_3x3 = BasicConv2d(32, 32, 3, 1, false)
  self.Conv2d_2b_3x3 = BasicConv2d(32, 64, 3)
  self.Conv2d_3b_1x1 = BasicConv2d(64, 80)
  self.Conv2d_4a_3x3 = BasicConv2d(80, 192, 3, 1, false)
  for _, block in ipairs(FIRST) do self[block[1]] = Mixed(block[2], block[3]) end
  if opt.aux_logits then self.AuxLogits = InceptionAux(768, opt.num_classes) end
  for _, block in ipairs(LAST) do self[block[1]] = Mixed(block[2], block[3]) end
  self.avgpool, self.dropout = nn.AdaptiveAvgPool2d(1), nn.Dropout(opt.dropout)
  self.fc = nn.Linear(2048, opt.num_classes)
  self:_draw()
  self:_accept_old_states()
end

function Inception3:_draw()
  local function narrow(m) init.trunc_normal_(m.weight, 0, 0.1) end
  self:_initialise { [nn.Conv2d] = narrow, [nn.Linear] = narrow }
  if not self.AuxLogits then return end
  init.trunc_normal_(self.AuxLogits.conv1.conv.weight, 0, 0.01)
  init.trunc_normal_(self.AuxLogits.fc.weight, 0, 0.001)
end

---@param x torch.Tensor        [N, 3, H, W], 75 or more on each side, 299 in training
---@return torch.Tensor logits  [N, num_classes]
---@return torch.Tensor? aux    [N, num_classes] in training
function Inception3:forward(x)
  if self.transform_input then x = layers.renormalised(x) end
  x = F.max_pool2d(self.Conv2d_2b_3x3(self.Conv2d_2a_3x3(self.Conv2d_1a_3x3(x))), 3, 2)
  x = F.max_pool2d(self.Conv2d_4a_3x3(self.Conv2d_3b_1x1(x)), 3, 2)
  for _, block in ipairs(FIRST) do x = self[block[1]](x) end
  local middle = x
  for _, block in ipairs(LAST) do x = self[block[1]](x) end
  local y = self.fc(self.dropout(self.avgpool(x)):flatten(2))
  if not (self.training and self.AuxLogits) then return y end
  return y, self.AuxLogits(middle)
end

return { Inception3 = Inception3, inception_v3 = Classifier.builder(Inception3, {}) }
