--- Every writer on a disk that fails at its first, second, ... call: the file is the old one or the new one, nothing
--- lies beside it, and the error names the file and the reason. The disk is tests/faulty_disk.c, with which the
--- specs of this file run in a program of their own.

local ffi = require "ffi"
local torch = require "torch"
local spec, shell = require "spec", require "shell"
local describe, it, equal = spec.describe, spec.it, spec.equal

ffi.cdef [[
  void faulty_disk_arm(const char *path, int number, int kind, int no_nameless);
  int faulty_disk_disarm(void);
]]

if not pcall(function() return ffi.C.faulty_disk_arm end) then
  local library = shell.program:match("^(.*)/") .. "/libfaulty_disk.so"
  local file = io.open(library, "rb")
  if not file then
    print("skipped: there is no " .. library)
    return
  end
  file:close()
  it("writers on a faulty disk", function()
    local output = shell.output_of(("ASAN_OPTIONS=\"$ASAN_OPTIONS:verify_asan_link_order=0\" LD_PRELOAD='%s' '%s' '%s' "
      .. "faulty_disk 2>&1; echo status $?"):format(library, shell.program, arg[0]))
    assert(output:find("[1-9]%d* passed, 0 failed\nstatus 0\n$"), output)
  end)
  return
end

local KINDS = { ERROR = 1, PART = 2, FULL = 3, KILL = 4 }
local REASONS = { "Input/output error", "(no error at all)", "No space left on device" }
local vision, hdf5 = require "torch.vision", torch.hdf5
local picture = torch.arange(3 * 40 * 40):reshape(3, 40, 40):remainder(251):to(torch.uint8)

-- Two contents, the old and the new.
local versions = { torch.arange(1, 401):to(torch.float32):reshape(20, 20), torch.ones(30, 30) }
local function image(version) return version == 1 and picture or picture:flip(3) end
local figures = { torch.plot.line(versions[1][2], { width = 200, height = 150 }), torch.plot.line { 1, 3, 2 } }

-- Names and what they write: version 1 or 2, always the same bytes.
local writers = {
  { "torch.save", function(path, v) torch.save({ x = versions[v], n = v }, path) end },
  { "torch.save for PyTorch", function(path, v) torch.save({ x = versions[v] }, path, { format = "pytorch" }) end },
  { "torch.save_npy", function(path, v) torch.save_npy(versions[v], path) end },
  { "torch.save_npz", function(path, v) torch.save_npz({ x = versions[v], y = versions[3 - v] }, path) end },
  { "torch.save_safetensors", function(path, v) torch.save_safetensors({ x = versions[v] }, path) end },
  { "torch.save_csv", function(path, v) torch.save_csv(versions[v], path) end },
  { "torch.save_idx", function(path, v) torch.save_idx(versions[v], path) end },
  { "torch.save_wav", function(path, v) torch.save_wav(versions[v]:t():narrow(1, 1, 2) / 400, path, 8000) end },
  { "torch.save_text", function(path, v) torch.save_text(("line %d\n"):format(v):rep(100), path) end },
  { "torch.vision.io.write_png", function(path, v) vision.io.write_png(image(v), path) end },
  { "torch.vision.io.write_jpeg", function(path, v) vision.io.write_jpeg(image(v), path) end },
  { "torch.plot to SVG", function(path, v) figures[v]:save(path .. ".svg") end },
  { "torch.plot to PNG", function(path, v) figures[v]:save(path .. ".png") end },
  { "torch.hdf5", function(path, v)
    local file = hdf5.open(path, "w")
    file:write("group/x", versions[v])
    file:close()
  end },
  { "torch.hdf5, adding to a file", function(path, v)
    local is_there = io.open(path, "rb")
    if is_there then is_there:close() end
    local file = hdf5.open(path, is_there and "a" or "w")
    file:write("x" .. v, versions[v])
    file:close()
  end },
}

local folder = shell.folder()

-- The files of the folder by name, with their bytes.
local function contents()
  local list = {}
  for _, name in ipairs(torch.core.list_folder(folder, "contents")) do
    list[name] = shell.read(folder .. "/" .. name)
  end
  return list
end

local function set_contents(list)
  for name in pairs(contents()) do os.remove(folder .. "/" .. name) end
  for name, bytes in pairs(list) do shell.write(folder .. "/" .. name, bytes) end
end

local function same(a, b)
  for name, bytes in pairs(a) do
    if b[name] ~= bytes then return false end
  end
  for name in pairs(b) do
    if not a[name] then return false end
  end
  return true
end

-- What `write(path, version)` leaves where there was `before`, with call `number` failing. Returns the files, how many
-- calls there were, and the error.
local function attempt(before, write, version, number, kind, no_nameless)
  set_contents(before)
  ffi.C.faulty_disk_arm(folder, number, kind, no_nameless and 1 or 0)
  local good, problem = pcall(write, folder .. "/file", version)
  local calls = ffi.C.faulty_disk_disarm()
  collectgarbage() -- closes what the error left open
  return contents(), calls, not good and tostring(problem) or nil
end

-- Lets each call fail in turn, first without a file of that name, then with one.
local function survives_everything(write, kind, no_nameless)
  local old = attempt({}, write, 1, 0, 0, no_nameless)
  for version, before in ipairs { {}, old } do
    local new, count = attempt(before, write, version, 0, 0, no_nameless)
    assert(count >= 4, "the disk has seen nothing")
    local files = shell.open_files()
    for number = 1, count do
      local after, _, problem = attempt(before, write, version, number, kind, no_nameless)
      local where = ("call %d of %d: %s"):format(number, count, problem or "no error")
      assert(same(after, new) or (problem and same(after, before)), where)
      assert(not problem or problem:find("'" .. folder .. "/file", 1, true), where)
      assert(not problem or problem:find(REASONS[kind], 1, true), where)
    end
    equal(shell.open_files(), files)
  end
end

-- The writers of this build: libraries for pictures and for HDF5 may be missing.
local function present()
  local list = {}
  for _, writer in ipairs(writers) do
    local good, why = pcall(writer[2], folder .. "/file", 1)
    set_contents {}
    if good then list[#list + 1] = writer else print(("skipped %s: %s"):format(writer[1], why)) end
  end
  return list
end

describe("a writer", function()
  -- Once it failed with "File exists": processes in containers often have the same number again.
  it("goes on where a killed process of its number has left a file", function()
    local prefix = (".facula-%d-"):format(torch.core.process_id())
    local before = { file = "old" }
    for k = 0, 200 do before[prefix .. k] = "left" end
    local after, _, problem = attempt(before, function(path) torch.save_text("new", path) end, 1, 0, 0, true)
    before.file = "new"
    assert(same(after, before), problem)
  end)
end)

describe("on a disk where any call fails", function()
  for _, writer in ipairs(present()) do
    local name, write = unpack(writer)
    for _, no_nameless in ipairs { false, true } do
      local place = no_nameless and " where every file has a name" or ""
      it(name .. " meets errors" .. place, function() survives_everything(write, KINDS.ERROR, no_nameless) end)
      it(name .. " meets short writes" .. place, function() survives_everything(write, KINDS.PART, no_nameless) end)
      it(name .. " meets its end" .. place, function() survives_everything(write, KINDS.FULL, no_nameless) end)
    end
  end

  it("a file that is added to ends with a whole piece", function()
    local function add(path) torch.core.append_file(path, "second\n") end
    local before, after = { file = "first\n" }, { file = "first\nsecond\n" }
    for _, kind in ipairs { KINDS.ERROR, KINDS.PART, KINDS.FULL } do
      local _, count = attempt(before, add, 1, 0, 0)
      for number = 1, count do
        local got, _, problem = attempt(before, add, 1, number, kind)
        assert(same(got, after) or (problem and same(got, before)), problem)
      end
    end
  end)
end)

describe("a process that is killed at any call", function()
  -- Returns the files that it leaves, and whether it was killed.
  local function killed(before, write, number, no_nameless)
    set_contents(before)
    local child = torch.core.start_worker(function()
      ffi.C.faulty_disk_arm(folder, number, KINDS.KILL, no_nameless and 1 or 0)
      write(folder .. "/file", 2)
    end)
    local fate = child:fate()
    return contents(), fate == "was killed by signal 9 (Killed)" or (fate ~= "ended with exit code 0" and error(fate))
  end

  for _, writer in ipairs { writers[1], writers[2], writers[4] } do
    it(writer[1] .. ": leaves the old file or the new one", function()
      local old, new = attempt({}, writer[2], 1, 0, 0), attempt({}, writer[2], 2, 0, 0)
      for _, no_nameless in ipairs { false, true } do
        local number, dies, after = 0, true, nil
        while dies do
          number = number + 1
          after, dies = killed(old, writer[2], number, no_nameless)
          assert(after.file == old.file or after.file == new.file, number)
        end
        assert(number > 5 and same(after, new), number)
      end
    end)
  end
end)

os.execute("rm -r " .. folder)
