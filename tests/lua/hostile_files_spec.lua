--- Every reader on damaged files: whatever they hold, the answer is a value or an error that names the file. Quick,
--- always the same; tests/fuzz goes on for as long as one likes.

local spec, shell, files, readers = require "spec", require "shell", require "files", require "readers"
local describe, it, fails = spec.describe, spec.it, spec.fails
local with = files.with

-- What a call may end with: values, or an error in the reader's words.
local function survives(read, path, what)
  local good, problem = pcall(read, path)
  if good then return end
  problem = tostring(problem)
  local is_answer = problem:find(path, 1, true) and not problem:find "^[^:]*:%d+: attempt to "
  assert(is_answer, what .. ": " .. problem)
end

-- Calls `body` with the name of a file, its content and a number, for each of the samples.
local function each_sample(reader, body)
  for i, write in ipairs(reader.samples) do
    with(function(path)
      write(path)
      reader.read(path)
      body(path, shell.read(path), i)
    end)
  end
end

local names = {}
for name in pairs(readers) do names[#names + 1] = name end
table.sort(names)

for _, name in ipairs(names) do
  local reader = readers[name]
  describe(name, function()
    it("refuses every file that is cut, by name", function()
      each_sample(reader, function(path, content, sample)
        for n = 0, #content - 1, math.max(1, math.floor(#content / 150)) do
          shell.write(path, content:sub(1, n))
          if reader.open_ended then
            survives(reader.read, path, ("sample %d cut to %d"):format(sample, n))
          else
            fails(function() reader.read(path) end, path)
          end
        end
      end)
    end)

    it("answers or refuses changed bytes, gaps and repetitions", function()
      each_sample(reader, function(path, content, sample)
        files.damaged(content, 300, function(copy, round)
          shell.write(path, copy)
          survives(reader.read, path, ("sample %d, round %d"):format(sample, round))
        end, sample)
      end)
    end)

    if reader.is_part then return end
    it("refuses folders, devices, and files that are empty or missing", function()
      fails(function() reader.read("/tmp") end, "'/tmp' is a directory")
      fails(function() reader.read("/dev/zero") end, "'/dev/zero' is not a plain file")
      fails(function() reader.read("/no/such/file") end, "/no/such/file")
      with(function(path)
        if not reader.open_ended then fails(function() reader.read(path) end, path) end
        os.remove(path)
        assert(os.execute("mkfifo " .. path) == 0)
        fails(function() reader.read(path) end, "is not a plain file")
      end)
    end)
  end)
end
