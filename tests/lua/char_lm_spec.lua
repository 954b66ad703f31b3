-- The parts of examples/char_lm.lua, and whole runs of it.
local torch = require "torch"
local spec = require "spec"
local shell = require "shell"
local describe, it, equal, fails = spec.describe, spec.it, spec.equal, spec.fails
local Text, GPT, CharLSTM = require "char_lm.text", require "char_lm.gpt", require "char_lm.lstm"
local schedule = require "char_lm.schedule"

local folder = shell.folder()

local function write(name, text)
  return shell.write(folder .. "/" .. name, text)
end

describe("a text", function()
  local path = write("text", ("hello world\n"):rep(10))

  it("has a vocabulary of its bytes, and nine tenths to train with", function()
    local text = Text(path, 4)
    equal(text.vocabulary, "\n dehlorw")
    equal({ text.train:size(1), text.valid:size(1) }, { 108, 12 })
    local ids = text:encode("hello\n")
    equal(ids, { { 5, 4, 6, 6, 7, 1 } })
    local letters = {}
    for i = 1, 6 do letters[i] = text:decode(ids[{ 1, i }]:item()) end
    equal(table.concat(letters), "hello\n")
    fails(function() text:encode("hi") end, 'char_lm: the model has not seen the character "i" of the prompt')
  end)

  it("of any bytes will do", function()
    local text = Text(write("bytes", ("\0\255ä"):rep(20)), 2)
    equal(text.vocabulary, "\0\164\195\255")
    equal(text:encode("\255\0"), { { 4, 1 } })
  end)

  it("gives windows whose targets are one further", function()
    local text = Text(path, 7)
    local x, y = text:batch(50)
    equal({ x:size(1), x:size(2), y:size(1), y:size(2) }, { 50, 7, 50, 7 })
    equal(x:narrow(2, 2, 6), y:narrow(2, 1, 6):contiguous())
    assert(x:min():item() >= 1 and x:max():item() <= 9)
  end)

  it("is validated by windows that do not overlap, or by some that are equally far apart", function()
    local text = Text(write("digits", ("0123456789"):rep(100)), 4) -- 100 to validate with: 24 windows
    local function firsts(n, count)
      local list = {}
      for x in text:validation(n, count) do
        for i = 1, x:size(1) do list[#list + 1] = text:decode(x[{ i, 1 }]:item()) end
      end
      return table.concat(list)
    end
    equal(firsts(5), "048260482604826048260482")
    equal(firsts(24), firsts(5))
    equal(firsts(2, 6), "062840")
    equal(firsts(2, 1000), firsts(5))
  end)

  it("that cannot be used is an error that names the file", function()
    fails(function() Text("/no/such", 4) end, "char_lm: cannot open '/no/such' (No such file or directory)")
    fails(function() Text(folder, 4) end, "char_lm: '" .. folder .. "' is a directory")
    fails(function() Text(write("empty", ""), 4) end, "/empty is empty")
    fails(function() Text(path, 12) end,
      path .. " has 120 characters, too few for a context of 12: 130 are the least")
  end)
end)

describe("the models", function()
  torch.manual_seed(1)
  local models = {
    GPT { vocabulary = 9, width = 8, layers = 2, heads = 2, context = 6 },
    CharLSTM { vocabulary = 9, width = 8, layers = 2 },
  }
  local ids = torch.randint(1, 10, { 3, 6 })

  it("score every position by what is before it alone", function()
    for _, model in ipairs(models) do
      local whole = model(ids)
      equal(whole:size(), { 3, 6, 9 })
      local changed = ids:clone()
      changed:select(2, 6):fill_(1)
      equal(model(changed):narrow(2, 1, 5), whole:narrow(2, 1, 5))
    end
  end)

  it("read on as they would have read the whole", function()
    for _, model in ipairs(models) do
      local whole, state = model(ids), nil
      for t = 1, 6 do
        local scores
        scores, state = model:read(ids:narrow(2, t, 1), state)
        equal(scores, whole:select(2, t))
      end
    end
  end)

  it("read on beyond the context of a GPT", function()
    local model = models[1]
    local _, state = model:read(ids)
    local scores = model:read(ids:narrow(2, 1, 2), state)
    equal(scores, model(torch.cat({ ids:narrow(2, 3, 4), ids:narrow(2, 1, 2) }, 2)):select(2, 6))
  end)

  it("have heads that divide the width", function()
    fails(function() GPT { vocabulary = 9, width = 8, layers = 1, heads = 3, context = 6 } end,
      "char_lm: a width of 8 does not split into 3 heads")
  end)
end)

it("the learning rate rises in a line and falls along a cosine", function()
  local optimizer = torch.optim.SGD({ torch.zeros(1) }, { lr = 2 })
  local scheduler = schedule(optimizer, { warmup = 3, steps = 7, floor = 0.1 }, 0)
  local rates = {}
  for i = 1, 9 do
    rates[i] = optimizer.param_groups[1].lr
    scheduler:step()
  end
  local function cosine(share) return 2 * (0.1 + 0.45 * (1 + math.cos(math.pi * share))) end
  equal(rates, { 0.5, 1, 1.5, 2, cosine(0.25), cosine(0.5), cosine(0.75), 0.2, 0.2 })
end)

describe("a run", function()
  local program = shell.program
  local script = shell.output_of("readlink -f " .. package.searchpath("char_lm", package.path)):gsub("\n$", "")

  -- A small run that keeps its state in `name`, with code that is run before it. Returns its exit code and all it said.
  local function run(name, arguments, code)
    local command = "cd %s && '%s' -e '%s' %s --smoke --checkpoint %s %s 2>&1; echo $?"
    local out = shell.output_of(command:format(folder, program, code or "", script, name, arguments or ""))
    local said, status = out:match("^(.-)(%d+)\n$")
    return tonumber(status), said
  end

  local function weights(name)
    local saved = torch.load(folder .. "/" .. name)
    local list = { saved.random }
    for _, x in saved.model:items() do list[#list + 1] = x end
    for _, state in ipairs(saved.optimizer.state) do
      list[#list + 1] = state.exp_avg
      list[#list + 1] = state.exp_avg_sq
    end
    return list, saved.step
  end

  local function same(a, b)
    local one, other = weights(a), weights(b)
    equal(#one, #other)
    for i, x in ipairs(one) do assert(torch.equal(x, other[i]), ("%s and %s differ in tensor %d"):format(a, b, i)) end
  end

  -- Sends the run a signal when it has written its first checkpoint.
  local function signal(name)
    return ([[local torch, n = require "torch", 0
      local save = torch.save
      function torch.save(...)
        save(...)
        n = n + 1
        if n == 1 then io.popen("kill -%s $PPID"):close() end
      end]]):format(name)
  end

  for _, model in ipairs { "gpt", "lstm" } do
    local arguments = ("--model %s --dropout 0.1 --every 7"):format(model)

    it("of an " .. model .. " that is killed and resumed ends with the same weights, bit for bit", function()
      local status, whole = run(model, arguments)
      equal(status, 0)
      status = run(model .. "-killed", arguments, signal("KILL"))
      equal({ status, select(2, weights(model .. "-killed")) }, { 137, 7 })
      local resumed
      status, resumed = run(model .. "-killed", "--resume")
      equal({ status, select(2, weights(model .. "-killed")) }, { 0, 20 })
      same(model, model .. "-killed")
      equal(resumed:match("\nvalidation loss.*$"), whole:match("\nvalidation loss.*$")) -- and the same text
    end)
  end

  it("stops by Ctrl-C after a whole step, and goes on from there", function()
    local status, said = run("stopped", "--every 7", signal("INT"))
    equal(status, 130)
    assert(said:find("stopped; --resume goes on from stopped", 1, true), said)
    assert(select(2, weights("stopped")) < 20)
    equal(run("stopped", "--resume"), 0)
    run("unstopped", "--every 7")
    same("stopped", "unstopped")
  end)

  it("that is over only writes", function()
    run("over", "")
    local status, said = run("over", "--resume --sample 30 --temperature 0 --prompt ROMEO")
    equal(status, 0)
    assert(not said:find("step", 1, true), said)
    equal(#said:match("different\n(.*)\n$"), 30)
  end)

  it("that cannot be is an error that says why", function()
    local function refused(arguments, message)
      local status, said = run("refused", arguments)
      assert(status ~= 0 and said:find(message, 1, true), said)
    end
    refused("--resume", "char_lm: cannot open 'refused' (No such file or directory)")
    refused("--model rnn", "char_lm: --model is gpt or lstm, not rnn")
    refused("--steps 2.5", "--steps is a whole number from 1, not 2.5")
    refused("--layers 1.5", "--layers is a whole number from 1, not 1.5")
    refused("--temperature -1", "--temperature is a number from 0, not -1")
    refused("--prompt 5", 'char_lm: the model has not seen the character "5" of the prompt')
    refused("--data " .. folder, "is a directory")
    refused("--checkpoint /no/such", "char_lm: cannot write the checkpoint /no/such: No such file or directory")
    run("small", "")
    torch.save({ 1 }, folder .. "/other")
    refused("--resume --checkpoint other", "char_lm: other is not a checkpoint of char_lm")
    torch.save({ char_lm = 1 }, folder .. "/other")
    refused("--resume --checkpoint other", "char_lm: other is not a checkpoint of char_lm")
    refused("--resume --checkpoint small --width 32", "char_lm: --width 32 does not fit small, where it is 16")
    refused("--resume --checkpoint small --data " .. write("abc", ("abc"):rep(100)),
      "char_lm: small is of a text with other characters than " .. folder .. "/abc")
    write("cut", "PK")
    refused("--resume --checkpoint cut", "char_lm: 'cut' is not a zip archive")
  end)
end)

shell.output_of("rm -r " .. folder)
