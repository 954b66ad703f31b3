--- `facula check FILE...`: reads saved files as a whole; says of each that it is good, or what is wrong with it. The
-- exit code is 0 only if all are good.

local by_name = require "torch.format.by_name"

local paths = { ... }
if #paths == 0 then
  io.stderr:write("facula: check: expected at least one file\nusage: facula check FILE...\n")
  os.exit(2)
end

local all_good = true
for _, path in ipairs(paths) do
  local good, problem = pcall(by_name.load, path)
  all_good = all_good and good
  if good then print(path .. ": good") else io.stderr:write((tostring(problem):gsub("^load[%w_]*: ", "")), "\n") end
end
if not all_good then os.exit(1) end
