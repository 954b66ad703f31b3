--- Every reader of files by name: what damaged files are tried on, some by hostile_files_spec.lua, as many as one likes
--- by tests/fuzz.
--
-- `read(path)` reads a file, and what it gave. `samples` are functions that write a small file to a path. `open_ended`
-- says that what a file begins with may be one, `is_part` that it is no file but stands in one.

local torch = require "torch"
local shell, files, t7_writer = require "shell", require "files", require "t7_writer"

local readers = {}

-- A tensor that lies outside of its memory is noticed by who reads it; those of repeated elements may be endless.
local MOST_ELEMENTS = 2 ^ 16

local function read_tensors(value)
  local queue, seen = { value }, {}
  for _, x in ipairs(queue) do
    if torch.is_tensor(x) then
      if x:numel() <= MOST_ELEMENTS and not x.is_meta then x:clone() end
    elseif type(x) == "table" and not seen[x] then
      seen[x] = true
      for _, item in pairs(x) do
        if item then queue[#queue + 1] = item end
      end
    end
  end
end

local function add(name, load, samples, options)
  local reader = options or {}
  function reader.read(path) read_tensors { load(path) } end
  reader.samples = samples
  readers[name] = reader
end

local function load_both_ways(load)
  return function(path) return load(path), load(path, { mmap = true }) end
end

local tensors = { a = torch.arange(20):to(torch.float32), b = torch.ones(2, 3, { dtype = torch.bool }) }
local nested = { tensors, tensors.a:view(4, 5):t(), { 1, 2.5, "text", { true }, torch.float16 }, epoch = 3 }
for _, name in ipairs { "uint8", "int64", "bfloat16", "complex64" } do
  nested[name] = torch.ones(2, { dtype = torch[name] })
end

add("load", load_both_ways(torch.load), {
  function(path) torch.save(nested, path) end,
  function(path) torch.save(torch.nn.Linear(2, 3), path) end,
})

add("load_archives", load_both_ways(torch.load), {
  function(path) torch.save(nested, path, { format = "pytorch" }) end,
  function(path) torch.save(torch.nn.Linear(2, 3), path, { format = "pytorch" }) end,
})

-- The description in such a file alone, where sizes and checksums of the archive keep no change away.
local core, description, blobs = torch.core, nil, nil
files.with(function(path)
  torch.save(nested, path)
  description, blobs = core.read_archive(path)
end)
add("load_description", function(path)
  local read_archive = core.read_archive
  function core.read_archive() return shell.read(path), blobs end
  local good, value = pcall(require("torch.format.facula").load, { path = path })
  core.read_archive = read_archive
  if not good then error(value, 0) end
  return value
end, { function(path) shell.write(path, description) end }, { is_part = true })

-- The value's pickle, which names one storage of four floats.
local PICKLES = {
  "\128\2](ctorch._utils\n_rebuild_tensor_v2\n((U\7storagectorch\nFloatStorage\nU\0010U\3cpuK\4NtQK\0(K\2K\2t(K\2K\1t"
    .. "\137ccollections\nOrderedDict\n)RtRX\1\0\0\0aG\64\4\0\0\0\0\0\0}U\1bK\1se.",
  "(dp0\nS'x'\np1\nctorch._utils\n_rebuild_tensor_v2\n((S'storage'\nctorch\nFloatStorage\nS'0'\nS'cpu'\nI4\nNtQI0\n"
    .. "(I2\nI2\nt(I2\nI1\ntI00\nccollections\nOrderedDict\n(tRtRsg1\nF2.5\ns.",
  "\128\4\149\64\0\0\0\0\0\0\0(\140\1a\148M\1\1J\255\255\255\255\138\2\255\0\136\137\133\134\135\143(K\1\144(K\2\145"
    .. "]\148(h\0N0e}(h\0C\1xu\140\5torch\140\5int64\147c_codecs\nencode\n(X\2\0\0\0\195\191X\6\0\0\0latin1tR"
    .. "ctorch\ndevice\nU\4cuda\133R(\140\7storagectorch\nFloatStorage\n\140\0010\140\3cpuK\4NtQt.",
}

-- What writes some bytes, as a sample.
local function holding(bytes)
  return function(path) shell.write(path, bytes) end
end

local pickles = {}
for i, pickle in ipairs(PICKLES) do
  pickles[i] = holding("\128\2\138\10\108\252\156\70\249\32\106\168\80\25.\128\2M\233\3.\128\2}." .. pickle
    .. "](U\0010e." .. files.little_endian(4, 8) .. ("\0\0\128\63"):rep(4))
end
add("load_pickles", load_both_ways(torch.load), pickles)

add("load_npy", load_both_ways(torch.load_npy), {
  function(path) torch.save_npy(tensors.a, path) end,
  function(path) torch.save_npy(tensors.b, path) end,
})

add("load_npz", load_both_ways(torch.load_npz), {
  function(path) torch.save_npz(tensors, path) end,
  -- one array, deflated, its columns first
  holding(files.bytes(
    "504b030414000000080000002100bc4685b3540000009800000005000000612e6e70799bec17ea1b10c9c850c650ad9e925a"
    .. "9c5ca46ea5a06e9369a2aea3a09e965f54529498179f5f94920a120f292a4d050a17672416a402b91a463a0ac69a3a0ab50a"
    .. "e4032e06206004622620660662162066056200504b0102140314000000080000002100bc4685b35400000098000000050000"
    .. "000000000000000000800100000000612e6e7079504b0506000000000100010033000000770000000000")),
})

add("load_safetensors", load_both_ways(torch.load_safetensors), {
  function(path) torch.save_safetensors(tensors, path, { format = "pt" }) end,
  function(path) torch.save_safetensors({ ["a.weight"] = torch.zeros(0, 3), ["é\n"] = torch.ones(1) }, path) end,
})

local linear = t7_writer.object("nn.Linear", "weight", t7_writer.tensor("Double", { 2, 2 }, { 1, 2, 3, 4 }))
local old_net = t7_writer.map("net", t7_writer.object("nn.Sequential", "modules", t7_writer.list(linear)),
  "again", linear, "f", t7_writer.closure(), "on", true, "text", "some")
local old_nets = {}
for manner in pairs(t7_writer.manners) do old_nets[#old_nets + 1] = holding(t7_writer.write(old_net, manner)) end
add("load_t7", torch.load_t7, old_nets, { open_ended = true }) -- as text, without its last end of line

add("load_csv", torch.load_csv, {
  holding('a,b,c\n1,2.5,"x""y"\n3,,z\n'),
  holding(files.bytes "1f8b08000000000002034bd449e232d451aa50e2020069697d530a000000"), -- the same kind, gzipped
}, { open_ended = true })

add("load_text", function(path) return torch.load_text(path, { lines = true }) end, { holding "one\ntwo\r\n\nlast" },
  { open_ended = true })

add("load_idx", torch.load_idx, { function(path) torch.save_idx(tensors.a, path) end })

add("load_wav", torch.load_wav, {
  function(path) torch.save_wav(torch.zeros(2, 9), path, 8000) end,
  holding "RIFF\38\0\0\0WAVEfmt \16\0\0\0\1\0\1\0\64\31\0\0\192\93\0\0\3\0\24\0data\6\0\0\0\1\2\3\4\5\255",
})

-- Only where libhdf5 is there.
if not tostring(select(2, pcall(torch.hdf5.open, "/no/such/file"))):find("not installed", 1, true) then
  local function hdf5(fill)
    return function(path)
      local f = torch.hdf5.open(path, "w")
      fill(f)
      f:close()
    end
  end
  add("hdf5", function(path)
    local f = torch.hdf5.open(path)
    local all = f:read()
    for name in pairs(all) do f:attributes(name) end
    return all
  end, {
    hdf5(function(f)
      f:write("group/x", torch.arange(100), { compression = 1 })
      f:write("y", torch.ones(3, 4))
      f:set_attribute("y", "rate", 1)
    end),
    hdf5(function(f)
      f:write("texts", { "a", "", "some" })
      f:write("yes", torch.tensor { true, false })
      f:set_attribute("texts", "by", "somebody")
    end),
  })
end

local read_tar = require "torch.vision.datasets.tar"
local function tar_entry(name, content)
  local header = name .. ("\0"):rep(124 - #name) .. ("%011o\0"):format(#content) .. ("\0"):rep(20) .. "0"
  return header .. ("\0"):rep(512 - #header) .. content .. ("\0"):rep(-#content % 512)
end
add("tar", function(path)
  local count = 0
  for _ in read_tar(torch.core.read_file(path, "tar"), path) do count = count + 1 end
  return count
end, { holding(tar_entry("a", "some text") .. tar_entry("b", "") .. ("\0"):rep(1024)) }, { open_ended = true })

local picture = torch.arange(3 * 9 * 8):remainder(256):to(torch.uint8):reshape(3, 9, 8)
add("read_image", torch.vision.read_image, {
  function(path) torch.vision.write_png(picture, path) end,
  function(path) torch.vision.write_png(picture:narrow(1, 1, 1), path) end,
  function(path) torch.vision.write_jpeg(picture, path) end,
})

return readers
