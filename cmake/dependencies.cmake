# The libraries facula stands on, one interface target per floor that uses them. cmake/packages.txt has Debian's names.

find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)

# core: threads, the CUDA module by dlopen, and files.
find_package(ZLIB REQUIRED)
pkg_check_modules(LIBZIP REQUIRED IMPORTED_TARGET libzip)
pkg_check_modules(SIMDJSON REQUIRED IMPORTED_TARGET simdjson)
add_library(facula_files INTERFACE)
target_link_libraries(facula_files INTERFACE
  Threads::Threads ${CMAKE_DL_LIBS} ZLIB::ZLIB PkgConfig::LIBZIP PkgConfig::SIMDJSON)

# kernels/cpu: vectors and matrices.
pkg_check_modules(OPENBLAS REQUIRED IMPORTED_TARGET openblas)
pkg_check_modules(HWY REQUIRED IMPORTED_TARGET libhwy)
add_library(facula_engine INTERFACE)
target_link_libraries(facula_engine INTERFACE PkgConfig::OPENBLAS PkgConfig::HWY)

# interp: LuaJIT with 64-bit collector pointers, since tensors and hosts fill the lower 2 GB.
pkg_check_modules(LUAJIT REQUIRED IMPORTED_TARGET luajit)
add_library(facula_lua INTERFACE)
target_link_libraries(facula_lua INTERFACE PkgConfig::LUAJIT)
add_library(facula_lua_headers INTERFACE)
target_include_directories(facula_lua_headers SYSTEM INTERFACE ${LUAJIT_INCLUDE_DIRS})
if(NOT DEFINED FACULA_LUAJIT_GC64)
  file(WRITE ${CMAKE_BINARY_DIR}/gc64.c
    "#include <lua.h>\n#include <lauxlib.h>\n#include <lualib.h>\n"
    "int main(void) {\n  lua_State *L = luaL_newstate();\n  luaL_openlibs(L);\n"
    "  return luaL_dostring(L, \"assert(require('ffi').abi('gc64'))\");\n}\n")
  try_run(gc64_result gc64_compiled ${CMAKE_BINARY_DIR}/gc64 ${CMAKE_BINARY_DIR}/gc64.c
    LINK_LIBRARIES PkgConfig::LUAJIT)
  if(NOT gc64_compiled OR NOT gc64_result EQUAL 0)
    message(FATAL_ERROR "LuaJIT ${LUAJIT_VERSION} is built without GC64 (XCFLAGS=-DLUAJIT_ENABLE_GC64): facula needs it")
  endif()
  set(FACULA_LUAJIT_GC64 ON CACHE INTERNAL "LuaJIT has 64-bit collector pointers")
endif()

# the program: options, and a line editor where there is one.
find_package(CLI11 REQUIRED)
pkg_check_modules(EDIT IMPORTED_TARGET libedit)
add_library(facula_program INTERFACE)
target_link_libraries(facula_program INTERFACE CLI11::CLI11)
if(EDIT_FOUND)
  target_link_libraries(facula_program INTERFACE PkgConfig::EDIT)
  target_compile_definitions(facula_program INTERFACE FACULA_WITH_EDIT)
endif()
