local torch = require "torch"
local spec, files, shell = require "spec", require "files", require "shell"
local describe, it, equal, fails = spec.describe, spec.it, spec.equal, spec.fails

describe("text files", function()
  it("are read whole or line by line", function()
    for _, case in ipairs {
      { "one\ntwo\r\n\nlast", { "one", "two", "", "last" } }, { "", {} }, { "\n", { "" } }, { "a\n", { "a" } },
    } do
      files.holding(case[1], function(path)
        equal(torch.load_text(path), case[1])
        equal(torch.load_text(path, { lines = true }), case[2])
      end)
    end
  end)

  it("are written from strings and lines", function()
    files.with(function(path)
      torch.save_text("a\0b", path)
      equal(shell.read(path), "a\0b")
      torch.save_text({ "x", "", "y" }, path)
      equal(shell.read(path), "x\n\ny\n")
      torch.save_text({}, path)
      equal(shell.read(path), "")
      fails(function() torch.save_text({ "x", 1 }, path) end, "save_text: line 2 is a number, not a string")
      fails(function() torch.save_text(1, path) end, "save_text: expected a string or a list of lines, got a number")
    end)
    fails(function() torch.load_text "/" end, "load_text: '/' is a directory")
  end)
end)
