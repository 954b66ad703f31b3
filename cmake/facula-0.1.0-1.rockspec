-- `luarocks --lua-version 5.1 make cmake/facula-0.1.0-1.rockspec` in a checkout builds the module `torch` for LuaJIT.
rockspec_format = "3.0"
package = "facula"
version = "0.1.0-1"
source = {url = "git+file://.", tag = "v0.1.0"}
description = {
  summary = "A little torch: tensors, autograd and networks for LuaJIT",
  detailed = "PyTorch's names and semantics as a Lua module: require 'torch'.",
  license = "MIT",
}
supported_platforms = {"linux"}
dependencies = {"lua == 5.1"} -- LuaJIT, with 64-bit collector pointers
build = {
  type = "cmake",
  variables = {
    CMAKE_BUILD_TYPE = "Release",
    CMAKE_INSTALL_PREFIX = "$(PREFIX)",
    FACULA_MODULE_DIR = "$(LIBDIR)",
  },
}
