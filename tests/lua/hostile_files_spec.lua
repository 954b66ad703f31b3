--- Every reader on damaged files: whatever they hold, the answer is a value or an error that names the file. Quick,
--- always the same; tests/fuzz goes on for as long as one likes.

local torch = require "torch"
local spec, shell, files = require "spec", require "shell", require "files"
local describe, it, fails = spec.describe, spec.it, spec.fails
local with = files.with

local tensors = { a = torch.arange(20):to(torch.float32), b = torch.ones(2, 3, { dtype = torch.bool }) }

-- Of each reader: a file that it reads, written by `save`.
local readers = {
  { name = "torch.load", load = torch.load, save = function(path) torch.save({ tensors, { 1, "text" } }, path) end },
  { name = "torch.load of PyTorch's archives", load = torch.load, save = function(path)
    torch.save({ tensors, { 1.5, "text" } }, path, { format = "pytorch" })
  end },
  { name = "torch.load of PyTorch's pickles", load = torch.load, save = function(path)
    local pickle = "](ctorch._utils\n_rebuild_tensor_v2\n((U\7storagectorch\nFloatStorage\nU\0010U\3cpuK\4Nt"
      .. "QK\0(K\2K\2t(K\2K\1t\137ccollections\nOrderedDict\n)RtRX\1\0\0\0aG\64\4\0\0\0\0\0\0}U\1bK\1se."
    shell.write(path, "\128\2\138\10\108\252\156\70\249\32\106\168\80\25.\128\2M\233\3.\128\2}." .. pickle
      .. "](U\0010e." .. files.little_endian(4, 8) .. ("\0\0\128\63"):rep(4))
  end },
  { name = "torch.load_npy", load = torch.load_npy, save = function(path) torch.save_npy(tensors.a, path) end },
  { name = "torch.load_npz", load = torch.load_npz, save = function(path) torch.save_npz(tensors, path) end },
  { name = "torch.load_safetensors", load = torch.load_safetensors,
    save = function(path) torch.save_safetensors(tensors, path, { format = "pt" }) end },
}

-- A sequence that is the same on every machine: Park and Miller's.
local function random_from(seed)
  return function(n)
    seed = seed * 16807 % 2147483647
    return seed % n + 1
  end
end

-- What a call may end with: values, or an error in the reader's words.
local function survives(load, path, what)
  local good, problem = pcall(load, path)
  if good then return end
  problem = tostring(problem)
  assert(problem:find(path, 1, true) and not problem:find("attempt to", 1, true), what .. ": " .. problem)
end

local function with_bytes(content, at, replacement)
  return content:sub(1, at - 1) .. replacement .. content:sub(at + #replacement)
end

for _, reader in ipairs(readers) do
  describe(reader.name, function()
    it("refuses every file that is cut, by name", function()
      with(function(path)
        reader.save(path)
        local content = shell.read(path)
        assert(pcall(reader.load, path))
        for n = 0, #content - 1, math.max(1, math.floor(#content / 150)) do
          shell.write(path, content:sub(1, n))
          fails(function() reader.load(path) end, path)
        end
      end)
    end)

    it("answers or refuses changed bytes, gaps and repetitions", function()
      with(function(path)
        reader.save(path)
        local content, random = shell.read(path), random_from(7)
        for round = 1, 400 do
          local changed = content
          for _ = 1, random(4) do
            local at, kind = random(#content), random(4)
            if kind == 1 then changed = with_bytes(changed, at, string.char(random(256) - 1))
            elseif kind == 2 then changed = with_bytes(changed, at, ("\255"):rep(random(8)))
            elseif kind == 3 then changed = changed:sub(1, at) .. changed:sub(at + random(16))
            else changed = changed:sub(1, at) .. changed:sub(math.max(1, at - random(32))) end
          end
          shell.write(path, changed)
          survives(reader.load, path, "round " .. round)
        end
      end)
    end)

    it("refuses folders, devices, and files that are empty or missing", function()
      fails(function() reader.load("/tmp") end, "'/tmp' is a directory")
      fails(function() reader.load("/dev/zero") end, "'/dev/zero' is not a plain file")
      fails(function() reader.load("/no/such/file") end, "/no/such/file")
      with(function(path)
        fails(function() reader.load(path) end, path)
        os.remove(path)
        assert(os.execute("mkfifo " .. path) == 0)
        fails(function() reader.load(path) end, "is not a plain file")
      end)
    end)
  end)
end
