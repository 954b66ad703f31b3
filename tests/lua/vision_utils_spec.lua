-- torch.vision.utils: grids of images, and marks in them.
local torch = require "torch"
local spec = require "spec"
local describe, it, equal, fails = spec.describe, spec.it, spec.equal, spec.fails
local vision = torch.vision
local utils = vision.utils

local function bytes(values) return torch.tensor(values, { dtype = torch.uint8 }) end

describe("make_grid", function()
  local x = torch.arange(1, 13):float():view(3, 1, 2, 2) -- images of 1..4, 5..8 and 9..12

  it("puts images side by side, with space between", function()
    local grid = utils.make_grid(x, { nrow = 2, padding = 1, pad_value = -1 })
    equal(grid:size(), { 3, 7, 7 })
    equal(grid[1]:tolist(), {
      { -1, -1, -1, -1, -1, -1, -1 },
      { -1, 1, 2, -1, 5, 6, -1 },
      { -1, 3, 4, -1, 7, 8, -1 },
      { -1, -1, -1, -1, -1, -1, -1 },
      { -1, 9, 10, -1, -1, -1, -1 },
      { -1, 11, 12, -1, -1, -1, -1 },
      { -1, -1, -1, -1, -1, -1, -1 },
    })
    equal(grid[3], grid[1])
  end)

  it("stretches values of all images, of each, or of a range", function()
    local all = utils.make_grid(x, { padding = 0, normalize = true })
    equal({ all:min():item(), all:max():item(), all[1][1][1]:item(), all[1][1][3]:item() }, { 0, 1, 0, 4 / 11 })
    local each = utils.make_grid(x, { padding = 0, normalize = true, scale_each = true })
    equal(each[1]:narrow(2, 1, 2), each[1]:narrow(2, 5, 2))
    local range = utils.make_grid(x, { padding = 0, normalize = true, value_range = { 0, 6 } })
    equal(range[1][1]:tolist(), { 1 / 6, 2 / 6, 5 / 6, 1, 1, 1 })
  end)

  it("takes one image, a list, and a plane", function()
    equal(utils.make_grid(x[1]):size(), { 3, 2, 2 })
    equal(utils.make_grid { x[1], x[2] }:size(), { 3, 6, 10 })
    equal(utils.make_grid(x[1][1]):size(), { 3, 2, 2 })
    fails(function() utils.make_grid {} end, "the list is empty")
    fails(function() utils.make_grid { 1 } end, "entry 1 of the list is a number")
    fails(function() utils.make_grid(x, { nrow = 0 }) end, "nrow is at least 1")
  end)
end)

describe("save_image", function()
  it("writes what can be read again", function()
    local path = os.tmpname() .. ".png"
    utils.save_image(torch.tensor { { { 0, 0.5, 1, 2 } } }, path)
    local x = vision.read_image(path, "rgb")
    os.remove(path)
    equal(x, bytes { { { 0, 128, 255, 255 } }, { { 0, 128, 255, 255 } }, { { 0, 128, 255, 255 } } })
  end)

  it("knows formats by the ending", function()
    fails(function() utils.save_image(torch.zeros(3, 2, 2), "x.gif") end,
      "'x.gif' ends in none of .png, .jpg and .jpeg")
  end)
end)

describe("draw_bounding_boxes", function()
  local paper = torch.zeros(3, 6, 7, { dtype = torch.uint8 })

  it("draws edges inwards", function()
    local y = utils.draw_bounding_boxes(paper, torch.tensor { { 1, 1, 5, 4 } }, { colors = "red" })
    equal(y[1]:gt(0):to(torch.uint8), bytes {
      { 0, 0, 0, 0, 0, 0, 0 },
      { 0, 1, 1, 1, 1, 1, 0 },
      { 0, 1, 0, 0, 0, 1, 0 },
      { 0, 1, 0, 0, 0, 1, 0 },
      { 0, 1, 1, 1, 1, 1, 0 },
      { 0, 0, 0, 0, 0, 0, 0 },
    })
    equal(y[2]:sum():item(), 0)
    equal(paper:sum():item(), 0)
  end)

  it("fills them, and stays within the image", function()
    local y = utils.draw_bounding_boxes(paper, torch.tensor { { -3, 2, 100, 100 } }, { colors = { "#00ff10" },
      fill = true, width = 2 })
    equal(y[2]:select(2, 3):tolist(), { 0, 0, 255, 255, 100, 100 })
    equal(y[3][3][1]:item(), 16)
    equal(y[1]:sum():item(), 0)
  end)

  it("gives boxes different colours", function()
    local y = utils.draw_bounding_boxes(paper, torch.tensor { { 0, 0, 2, 2 }, { 4, 3, 6, 5 } })
    assert(not y:select(2, 1):select(2, 1):equal(y:select(2, 6):select(2, 7)))
  end)

  it("writes labels into them", function()
    local wide = torch.zeros(3, 30, 60, { dtype = torch.uint8 })
    local box = torch.tensor { { 2, 2, 57, 27 } }
    local plain = utils.draw_bounding_boxes(wide, box, { colors = "white" })
    local y = utils.draw_bounding_boxes(wide, box, { "cat" }, { colors = "white" })
    local ink = y:ne(plain):any(1):nonzero() -- within the upper left corner
    assert(ink:size(1) > 30)
    assert(ink:select(2, 1):max():item() < 18 and ink:select(2, 2):max():item() < 32)
    fails(function() utils.draw_bounding_boxes(wide, box, { "cat", "dog" }) end, "expected a list of 1 labels")
    fails(function() utils.draw_bounding_boxes(wide, box, { 3 }) end, "label 1 is a number")
  end)

  it("says what is wrong", function()
    local box = torch.tensor { { 1, 1, 5, 4 } }
    fails(function() utils.draw_bounding_boxes(paper:float(), box) end, "expected a uint8 image (3, H, W)")
    fails(function() utils.draw_bounding_boxes(paper, torch.tensor { { 5, 1, 1, 4 } }) end, "box 1 has x1 > x2")
    fails(function() utils.draw_bounding_boxes(paper, box, { colors = "reddish" }) end, "got 'reddish'")
    fails(function() utils.draw_bounding_boxes(paper, box, { colors = {} }) end, "there are 0 colours for 1")
    fails(function() utils.draw_bounding_boxes(paper, box, { width = 0 }) end, "width is at least 1")
  end)
end)

describe("draw_segmentation_masks", function()
  it("mixes colours with the image", function()
    local mask = torch.zeros(2, 2, { dtype = torch.bool })
    mask[{ 1, 2 }] = true
    local y = utils.draw_segmentation_masks(bytes { { { 100, 100 }, { 100, 100 } } }, mask, 0.5, "blue")
    equal(y[1], bytes { { 100, 50 }, { 100, 100 } })
    equal(y[3], bytes { { 100, 177 }, { 100, 100 } })
    fails(function() utils.draw_segmentation_masks(y, torch.zeros(3, 3)) end, "expected bool masks (N, 2, 2)")
  end)
end)
