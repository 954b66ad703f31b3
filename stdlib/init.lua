--- Module `torch`: the core's table of operators, and the parts written in Lua, each loaded when it is first asked for.
--
-- Nothing but this file and the guard of LuaJIT's compiler runs at start. Module `torch.a.b` is the file `a/b.lua` or
-- `a/b/init.lua` beside this one.

local torch = require "torch.core"
package.loaded.torch = torch -- what is loaded below may ask for it

local lazy = require "torch.lazy"

torch.nn = torch.nn or {}
torch.nn.functional = torch.nn.functional or {}

lazy.fields(torch, {
  CmdLine = "torch.cmdline",
  class = "torch.class",
  isinstance = "torch.class:isinstance",
  type = "torch.class:type",
  deepcopy = "torch.copy",
  from_buffer = "torch.from_buffer",
  func = "torch.func",
  plot = "torch.plot",
  save = "torch.serialization:save",
  load = "torch.serialization:load",
  load_npy = "torch.format.npy:load",
  save_npy = "torch.format.npy:save",
  load_npz = "torch.format.npz:load",
  save_npz = "torch.format.npz:save",
  load_safetensors = "torch.format.safetensors:load",
  save_safetensors = "torch.format.safetensors:save",
  load_csv = "torch.format.csv:load",
  save_csv = "torch.format.csv:save",
  load_idx = "torch.format.idx:load",
  save_idx = "torch.format.idx:save",
  load_t7 = "torch.format.t7:load",
  load_text = "torch.format.text:load",
  save_text = "torch.format.text:save",
  hdf5 = "torch.format.hdf5",
  load_wav = "torch.format.wav:load",
  save_wav = "torch.format.wav:save",
  optim = "torch.optim",
  utils = "torch.utils",
  vision = "torch.vision",
})
lazy.fields(torch.autograd, {
  functional = "torch.autograd.functional",
  gradcheck = "torch.autograd.gradcheck:gradcheck",
  gradgradcheck = "torch.autograd.gradcheck:gradgradcheck",
})
for _, name in ipairs { "no_grad", "enable_grad", "set_grad_enabled", "inference_mode" } do
  torch.autograd[name] = torch[name]
end
lazy.rest(torch.autograd.graph, "torch.autograd.graph")
lazy.rest(torch.profiler, "torch.profiler")
lazy.rest(torch.nn, "torch.nn")
lazy.rest(torch.nn.functional, "torch.nn.functional")

require("torch.trace_guard").install()

function package.preload.nn() return require "torch.nn" end
function package.preload.optim() return require "torch.optim" end

return torch
