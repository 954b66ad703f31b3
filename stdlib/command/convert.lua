--- `facula convert FROM TO`: reads a file of tensors and writes it in another format, as the ends of the names say.

local by_name = require "torch.format.by_name"

local from, to, more = ...
if not to or more then
  io.stderr:write("facula: convert: expected two files\nusage: facula convert FROM TO\n")
  os.exit(2)
end

by_name.save(by_name.load(from), to, function(name, value)
  io.stderr:write(("left out: %s (a %s)\n"):format(name, type(value)))
end)
