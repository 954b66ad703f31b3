--- Files from the network, as whole as their checksums say.

local torch, check = require "torch", require "torch.check"
local core = torch.core

-- The algorithm of a checksum, by its length.
local ALGORITHMS = { [32] = "md5", [64] = "sha256" }

-- Is the file there, and right? An existing file with another checksum is an error: it is somebody's.
local function present(path, checksum)
  local folder, name = path:match "^(.-)([^/]+)$"
  local good, names = pcall(core.list_folder, folder == "" and "." or folder, "download")
  local there = false
  for _, entry in ipairs(good and names or {}) do there = there or entry == name end
  if not there or not checksum then return there end
  local found = core.digest(path, ALGORITHMS[#checksum])
  check(found == checksum, "download: '%s' exists with the checksum %s, expected %s; remove it to load it again", path,
    found, checksum)
  return true
end

-- Adds what is at an address to a file, with a bar of kilobytes.
local function load(url, part, shows)
  local bar
  local function report(done, total)
    local kilobytes = math.ceil(done / 1024)
    bar = bar or torch.utils.progress { desc = url:match "[^/]*$", total = total and math.ceil(total / 1024),
      initial = kilobytes, postfix = "kB" }
    bar:update(kilobytes - bar.done)
  end
  local good, problem = pcall(core.download, url, part, shows and report or nil)
  if bar then bar:close() end
  return good, tostring(problem)
end

-- From the first address that answers.
local function fetch(urls, part, shows)
  local problems = {}
  for i, url in ipairs(urls) do
    local good, problem = load(url, part, shows)
    if good then return end
    if problem:find("interrupted", 1, true) then error(problem, 0) end
    problems[i] = problem:gsub("^[^\n]-:%d+: ", "")
  end
  check(false, "%s", table.concat(problems, "\n  "))
end

local read = torch.core.signature("download(any url, str path, *, str? checksum=None, bool progress=True)")

--- Loads a file, unless it is there. What came before a break is kept in `path .. ".part"` and not loaded again; the
--- file has its name only when it is whole.
---@param url string|string[]  http, https, ftp or file; of several addresses the first one that answers
---@param path string          the folder has to be there
---@param options? table       checksum: MD5 or SHA-256 in hexadecimal digits (default: not checked); progress: shows a
---                            bar (default: true)
local function download(...)
  local opt = read(...)
  local urls, path, checksum = type(opt.url) == "string" and { opt.url } or opt.url, opt.path, opt.checksum
  check(type(urls) == "table" and #urls > 0, "download: url is an address or a list of addresses")
  checksum = checksum and checksum:lower()
  check(not checksum or ALGORITHMS[#checksum] and not checksum:find "%X",
    "download: a checksum has 32 (MD5) or 64 (SHA-256) hexadecimal digits, got '%s'", checksum)
  if present(path, checksum) then return end
  check(core.download, "download: there is no network in a sandbox")
  local part = path .. ".part"
  fetch(urls, part, opt.progress)
  local found = checksum and core.digest(part, ALGORITHMS[#checksum])
  if found ~= checksum then
    os.remove(part)
    check(false, "download: what came from %s has the checksum %s, expected %s", table.concat(urls, ", "), found,
      checksum)
  end
  check(os.rename(part, path), "download: '%s' cannot be renamed to '%s'", part, path)
end

return download
