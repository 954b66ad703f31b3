local torch = require "torch"
local spec, files, shell = require "spec", require "files", require "shell"
local describe, it, equal, fails = spec.describe, spec.it, spec.equal, spec.fails
local plot, core = torch.plot, torch.core
local ticks, font, colour = require "torch.plot.ticks", require "torch.plot.font", require "torch.plot.colour"
local has_png = pcall(core.encode_png, torch.zeros(1, 1, 1, { dtype = torch.uint8 }), 6)

local function labels(list)
  local texts = {}
  for i, tick in ipairs(list) do texts[i] = tick.label end
  return texts
end

describe("ticks", function()
  it("stand at numbers that read well", function()
    equal(labels(ticks.linear(0, 1, 5)), { "0.0", "0.2", "0.4", "0.6", "0.8", "1.0" })
    equal(labels(ticks.linear(-0.04, 1.04, 3)), { "0.0", "0.5", "1.0" })
    equal(labels(ticks.linear(-7, 12, 4)), { "−5", "0", "5", "10" })
    equal(labels(ticks.linear(0, 3e7, 3)), { "0", "1×10⁷", "2×10⁷", "3×10⁷" })
    equal(labels(ticks.linear(1e-5, 2e-5, 2)), { "1.0×10⁻⁵", "1.5×10⁻⁵", "2.0×10⁻⁵" })
  end)

  it("of any range are a few, rising, within it, a step apart", function()
    torch.manual_seed(1)
    for _ = 1, 500 do
      local low = (torch.rand(1):item() - 0.5) * 10 ^ (torch.rand(1):item() * 12 - 6)
      local high = low + 10 ^ (torch.rand(1):item() * 12 - 6)
      local list = ticks.linear(low, high, 6)
      assert(#list >= 2 and #list <= 8, ("%d ticks from %g to %g"):format(#list, low, high))
      local step = list[2].value - list[1].value
      for i, tick in ipairs(list) do
        assert(tick.value >= low - step * 1e-5 and tick.value <= high + step * 1e-5)
        if i > 1 then equal((tick.value - list[i - 1].value) / step, 1) end
      end
    end
  end)

  it("of logarithms are powers of ten, with marks between where there is room", function()
    local list = ticks.log(0.5, 2000, 8)
    local named = {}
    for _, tick in ipairs(list) do
      if tick.label ~= "" then named[#named + 1] = tick.label end
    end
    equal(named, { "10⁰", "10¹", "10²", "10³" })
    equal(#list, 5 + 9 + 9 + 9 + 2) -- 0.5 ... 0.9, three decades, 1000 and 2000
    equal(labels(ticks.log(1, 1e12, 3)), { "10⁰", "", "", "", "10⁴", "", "", "", "10⁸", "", "", "", "10¹²" })
    equal(labels(ticks.log(10, 50, 4)), { "10", "20", "30", "40", "50" })
  end)
end)

describe("colours", function()
  it("come by code, by name, and by place in the cycle", function()
    equal(colour.rgb("#ff0080"), { 1, 0, 128 / 255 })
    equal(colour.rgb("#f08"), { 1, 0, 0x88 / 255 })
    equal(colour.rgb("C1"), colour.rgb("#0072b2"))
    equal(colour.rgb("C9"), colour.rgb("C1"))
    fails(function() colour.rgb("reddish") end, "plot: 'reddish' is no color; expected '#rrggbb'")
  end)

  it("of maps go from end to end", function()
    local viridis = colour.map("viridis")
    equal(viridis(0), colour.rgb("#440154"))
    equal(viridis(1), colour.rgb("#fde725"))
    equal(viridis(7), viridis(1))
    equal(colour.map("gray")(0.5), { 0.5, 0.5, 0.5 })
    fails(function() colour.map("jet") end, "plot: there is no color map 'jet'")
  end)
end)

describe("the rasteriser", function()
  local function image(h, w) return torch.zeros(h, w, 3, { dtype = torch.uint8 }) end
  local white = { 1, 1, 1, 1 }

  it("fills polygons by the area that they cover", function()
    local x = image(4, 6)
    core.fill(x, { 1, 1, 4.5, 1, 4.5, 2.5, 1, 2.5 }, { 4 }, white, { 0, 0, 6, 4 })
    equal(x:select(3, 1), { { 0, 0, 0, 0, 0, 0 }, { 0, 255, 255, 255, 128, 0 }, { 0, 128, 128, 128, 64, 0 },
      { 0, 0, 0, 0, 0, 0 } })
    local triangle = image(2, 2)
    core.fill(triangle, { 0, 0, 2, 2, 0, 2 }, { 3 }, white, { 0, 0, 2, 2 })
    equal(triangle:select(3, 2), { { 128, 0 }, { 255, 128 } })
  end)

  it("gives any polygon its area, also beyond the edges", function()
    torch.manual_seed(2)
    for _ = 1, 50 do
      local p = (torch.rand(6, { dtype = torch.float64 }) * 80 + 10):tolist()
      local x = image(100, 100)
      core.fill(x, p, { 3 }, white, { 0, 0, 100, 100 })
      local area = math.abs((p[3] - p[1]) * (p[6] - p[2]) - (p[5] - p[1]) * (p[4] - p[2])) / 2
      local sum = x:select(3, 1):double():sum():item() / 255
      assert(math.abs(sum - area) < 1 + area * 0.005, ("area %g, painted %g"):format(area, sum))
    end
    local x = image(10, 10)
    core.fill(x, { -1e6, -1e6, 1e6, -1e6, 1e6, 1e6, -1e6, 1e6 }, { 4 }, white, { 2, 3, 7, 9 })
    equal(x:select(3, 1):double():sum():item(), 255 * 5 * 6)
  end)

  it("draws lines as wide as asked, and discs for points", function()
    local x = image(20, 40)
    core.stroke(x, { 5, 10, 35, 10 }, { 2 }, 4, white, { 0, 0, 40, 20 })
    equal(x:select(3, 1):select(2, 20):double():sum():item() / 255, 4)
    local disc = image(40, 40)
    core.stroke(disc, { 20, 20 }, { 1 }, 20, white, { 0, 0, 40, 40 })
    equal(disc:select(3, 1):double():sum():item() / 255, math.pi * 100, 0.01)
  end)

  it("paints what overlaps once", function()
    local x = image(20, 20)
    core.stroke(x, { 2, 10, 18, 10, 2, 10, 18, 10 }, { 4 }, 4, { 1, 1, 1, 0.5 }, { 0, 0, 20, 20 })
    equal(x:max():item(), 128)
  end)

  it("refuses what it cannot draw", function()
    local box = { 0, 0, 4, 4 }
    fails(function() core.fill(torch.zeros(4, 4, 3), {}, {}, white, box) end, "fill: the image is contiguous, uint8")
    fails(function() core.fill(image(4, 4), { 1, 2 }, { 2 }, white, box) end, "fill: the shapes have 2 points, and")
    fails(function() core.fill(image(4, 4), { 1, 2, 3 }, { 1 }, white, box) end, "fill: the shapes have 1 points")
    fails(function() core.fill(image(4, 4), { 1, 0 / 0 }, { 1 }, white, box) end, "fill: a coordinate is")
    fails(function() core.fill(image(4, 4), { 1, 1 }, { 1 }, { 2, 0, 0, 1 }, box) end, "fill: colours are from 0 to 1")
    fails(function() core.stroke(image(4, 4), { 1, 1 }, { 1 }, -1, white, box) end, "stroke: a line is from 0")
    fails(function() core.stroke(image(4, 4), { 1, 1 }, { -1 }, 1, white, box) end, "stroke: a shape has -1 points")
  end)
end)

describe("the font", function()
  it("has every printable character of ASCII", function()
    local missing = table.concat(font.strokes("\1", 20)[1], " ")
    for code = 33, 126 do
      local character = string.char(code)
      local strokes = font.strokes(character, 20)
      assert(#strokes > 0 and font.width(character, 20) > 0, character)
      for _, points in ipairs(strokes) do
        assert(#points > 0 and #points % 2 == 0 and table.concat(points, " ") ~= missing, character)
      end
    end
    equal(font.width("", 12), 0)
    assert(font.width("ab", 12) > font.width("a", 12))
  end)
end)

describe("a figure", function()
  local x = torch.linspace(0, 10, 50)

  local function everything()
    return plot.figure { title = "all <of> it & more", xlabel = "x", ylabel = "y" }
      :line(x, x:sin(), { label = "sine" }):line(x, x:cos(), { linestyle = "--", marker = "s" })
      :scatter({ 1, 2, 3 }, { 0, 0.5, 1 }, { label = "points", color = "red", marker = "^" })
      :band(x, x:sin() - 0.2, x:sin() + 0.2):bar({ 1, 2 }, { 0.5, -0.5 }):histogram(torch.rand(100))
  end

  it("becomes SVG that an XML reader takes", function()
    local svg = everything():svg()
    assert(svg:find("^<svg ") and svg:find("</svg>\n$"))
    assert(svg:find("all &lt;of&gt; it &amp; more", 1, true) and svg:find(">sine<", 1, true))
    files.holding(svg, function(path)
      local said = files.python("xml.dom.minidom", [[
print(len(xml.dom.minidom.parse(sys.argv[1]).getElementsByTagName("path")) > 5)
]], path)
      if said then equal(said, "True\n") end
    end)
  end)

  it("becomes pixels", function()
    local pixels = everything():pixels()
    equal(pixels:size(), torch.empty(3, 800, 1280):size())
    assert(pixels:lt(255):sum():item() > 10000)
    equal(plot.line({ 1, 2 }, { width = 100, height = 60 }):pixels(1):size(), torch.empty(3, 60, 100):size())
    fails(function() everything():pixels(1000) end, "plot: scale is from 0.1 to 10, got 1000")
  end)

  it("puts its data where the axes say", function()
    local figure = plot.scatter({ 0, 10 }, { 0, 1 }, { color = "#ff0000", alpha = 1, xlim = { 0, 10 },
      ylim = { 0, 1 } })
    local pixels = figure:pixels(1):to(torch.int32)
    local red = pixels[1]:eq(255):logical_and(pixels[2]:lt(100)):nonzero()
    local rows, columns = red:select(2, 1), red:select(2, 2)
    -- halves of discs of radius 3: at the lower left and the upper right corner of the axes
    assert(rows:max():item() > 360 and rows:min():item() < 20 and columns:min():item() < 60
      and columns:max():item() > 610, tostring(red))
  end)

  it("is saved as its name ends", function()
    files.with(function(path)
      plot.line({ 1, 3, 2 }):save(path .. ".svg")
      assert(shell.read(path .. ".svg"):find("^<svg "))
      os.remove(path .. ".svg")
      if has_png then
        plot.line({ 1, 3, 2 }):save(path .. ".png", { scale = 1 })
        equal(torch.vision.io.read_image(path .. ".png"):size(), torch.empty(3, 400, 640):size())
        os.remove(path .. ".png")
      end
      fails(function() plot.line({ 1 }):save(path .. ".pdf") end, "plot: expected a file that ends in .svg or .png")
      fails(function() plot.line({ 1 }):save("/nowhere/a.svg") end, "plot.save")
    end)
  end)

  it("draws whatever numbers there are", function()
    local odd = { {}, { 0 / 0 }, { math.huge, 1 }, { 1 }, { 0, 0 }, { 1e300, -1e300 }, { 1e-300, 2e-300 },
      { 5, 0 / 0, 7 } }
    for _, numbers in ipairs(odd) do
      for _, scale in ipairs { "linear", "log" } do
        for kind, figure in pairs {
          line = plot.line(numbers, { yscale = scale }), scatter = plot.scatter(numbers, { yscale = scale }),
          bar = plot.bar(numbers, { yscale = scale }), histogram = plot.histogram(numbers, { xscale = scale }),
        } do
          local good, problem = pcall(function()
            assert(#figure:svg() > 100)
            assert(#figure:text { width = 40, height = 5 } > 20)
            figure:pixels(0.5)
          end)
          assert(good, ("%s of %s: %s"):format(kind, table.concat(numbers, ", "), tostring(problem)))
        end
      end
    end
    assert(#plot.figure():svg() > 100)
  end)

  it("thins out what no eye could tell apart", function()
    local many = torch.randn(200000)
    assert(#plot.line(many):svg() < 60000)
  end)

  it("takes tensors of any dtype and counts positions from 1", function()
    for _, dtype in ipairs { torch.int64, torch.float16, torch.uint8, torch.bool } do
      local series = plot.line(torch.ones(3):to(dtype)).series[1]
      equal(series.xs, { 1, 2, 3 })
      equal(series.ys, { 1, 1, 1 })
    end
    plot.line(torch.ones(2, { requires_grad = true }))
  end)

  it("counts values in bins", function()
    local series = plot.histogram({ 0, 1, 1, 2, 4 }, { bins = 4 }).series[1]
    equal(series.ys, { 1, 2, 1, 1 })
    equal(series.edges, { 0, 1, 1, 2, 2, 3, 3, 4 })
    series = plot.histogram({ 0, 1, 1, 2, 9 }, { bins = 2, range = { 0, 2 }, density = true }).series[1]
    equal(series.ys, { 0.25, 0.75 })
  end)

  it("shows pictures and matrices", function()
    local series = plot.image(torch.tensor { { 0, 1 }, { 0.5, 2 } }).series[1]
    equal(series.pixels:select(3, 1), { { 0, 255 }, { 128, 255 } })
    local picture = torch.randint(0, 256, { 3, 5, 4 }):to(torch.uint8)
    equal(plot.image(picture).series[1].pixels, picture:permute(2, 3, 1):contiguous())
    equal(plot.image(picture:permute(2, 3, 1)).series[1].pixels, picture:permute(2, 3, 1):contiguous())
    series = plot.heatmap(torch.tensor { { 0, 1 }, { 0 / 0, 0.5 } }, { cmap = "gray" }).series[1]
    equal(series.pixels:select(3, 1), { { 0, 255 }, { 217, 128 } })
    if not has_png then return end
    assert(plot.heatmap(torch.rand(3, 4), { numbers = true }):svg():find("data:image/png;base64,", 1, true))
  end)

  it("stands beside others", function()
    local one = plot.line({ 1, 2 }, { width = 200, height = 100 })
    local grid = plot.grid({ one, one, one }, { columns = 2 })
    equal({ grid.width, grid.height }, { 400, 200 })
    equal(grid:pixels(1):size(), torch.empty(3, 200, 400):size())
    assert(grid:svg():find("</svg>", 1, true))
    fails(function() plot.grid({ 1 }) end, "plot.grid: figure 1 of the list is a number")
  end)

  it("says what is wrong", function()
    fails(function() plot.line({ 1, 2 }, { 1 }) end, "plot.line: x has 2 numbers, y has 1")
    fails(function() plot.line(torch.zeros(2, 2)) end, "plot.line: expected one dimension")
    fails(function() plot.line("x") end, "plot.line: expected a tensor or a list of numbers, got a string")
    fails(function() plot.line({ 1, "a" }) end, "plot.line: number 2 of the list is a string")
    fails(function() plot.line({ 1 }, { colour = "red" }) end, "plot.line: unknown option 'colour'")
    fails(function() plot.line({ 1 }, { 1 }, { colour = "red" }) end, "'colour', did you mean 'color'?")
    fails(function() plot.line({ 1 }, { linestyle = "wavy" }) end, "plot: there is no linestyle 'wavy'")
    fails(function() plot.line({ 1 }, { marker = "q" }) end, "plot: there is no marker 'q'")
    fails(function() plot.line({ 1 }, { xscale = "logg" }) end, "plot: xscale is 'linear' or 'log', got 'logg'")
    fails(function() plot.line({ 1 }, { ylim = { 2, 1 } }) end, "plot: ylim is two numbers, the larger last")
    fails(function() plot.line({ 1 }, { yscale = "log", ylim = { 0, 1 } }) end, "plot: ylim is above 0 on a log")
    fails(function() plot.image(torch.zeros(2, 3, 5)) end, "plot.image: a picture is (H, W), (C, H, W)")
    fails(function() plot.heatmap(torch.zeros(0, 3)) end, "plot.heatmap: the matrix is empty")
    fails(function() plot.bar({ "a", "b" }, { 1 }) end, "plot.bar: there are 2 names and 1 heights")
    fails(function() plot.histogram({ 1 }, { bins = 0 }) end, "plot.histogram: there are 1 to 100000 bins, got 0")
    fails(function() plot.figure { width = 1e6 } end, "plot: width is from 50 to 10000")
  end)
end)

describe("a figure as text", function()
  it("has axes, dots and a legend", function()
    local figure = plot.line({ 1, 2, 3, 4 }, { title = "up", label = "line", xlabel = "x" })
    equal(figure:text { width = 30, height = 4, color = false }, [[
              up
4 ┤                   ⣀⡠⠤⠔⠒⠉
  │            ⣀⡠⠤⠔⠒⠉⠉
2 ┤     ⣀⡠⠤⠔⠒⠉⠉
  │⠠⠔⠒⠉⠉
  └─────────┬──────────────┬─
            2              4
               x
── line]])
  end)

  it("fits its width and has no colour unless asked", function()
    for width = 20, 100, 10 do
      local text = plot.histogram(torch.randn(100), { label = "h" }):text { width = width, height = 6, color = false }
      assert(not text:find("\27", 1, true))
      for line in text:gmatch("[^\n]+") do
        assert(select(2, line:gsub("[^\128-\191]", "")) <= width, line)
      end
    end
    assert(plot.line({ 1, 2 }):text { color = true }:find("\27[38;2;0;114;178m", 1, true))
    fails(function() plot.line({ 1 }):text { width = 5 } end, "plot: a text is 20 to 1000 columns wide, got 5")
  end)

  it("shows pictures in half blocks", function()
    local text = plot.image(torch.eye(4)):text { width = 40, height = 4, color = false }
    assert(text:find("██", 1, true) and not text:find("▀", 1, true), text)
    local coloured = plot.image(torch.eye(2)):text { width = 20, height = 2, color = true }
    assert(coloured:find("\27[38;2;255;255;255m\27[48;2;255;255;255m▀▀", 1, true), coloured)
  end)

  it("is what prints", function()
    equal(tostring(plot.line({ 1, 2, 3 })), plot.line({ 1, 2, 3 }):text())
  end)
end)
