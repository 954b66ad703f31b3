# The libraries facula stands on, one interface target per floor that uses them. cmake/packages.txt has Debian's names.

find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)

option(FACULA_PORTABLE "A program that needs nothing but glibc: all else is linked statically, and there are no libraries" OFF)

# facula_use(TARGET PREFIX ARCHIVE...): the library that pkg_check_modules found as PREFIX or, in a portable build, its headers
# and these archives.
function(facula_use target prefix)
  if(FACULA_PORTABLE)
    list(TRANSFORM ARGN PREPEND -l: OUTPUT_VARIABLE archives)
    target_include_directories(${target} SYSTEM INTERFACE ${${prefix}_INCLUDE_DIRS})
    target_link_libraries(${target} INTERFACE ${archives})
  else()
    target_link_libraries(${target} INTERFACE PkgConfig::${prefix})
  endif()
endfunction()

# facula_use_if_found(TARGET PREFIX MODULE SOURCE ARCHIVE): a library that one file uses, which is compiled with FACULA_WITH_<PREFIX>
# where pkg-config knows the module.
function(facula_use_if_found target prefix module source archive)
  pkg_check_modules(${prefix} ${module})
  if(NOT ${prefix}_FOUND)
    return()
  endif()
  set_source_files_properties(${source} PROPERTIES
    COMPILE_DEFINITIONS FACULA_WITH_${prefix} INCLUDE_DIRECTORIES "${${prefix}_INCLUDE_DIRS}")
  if(FACULA_PORTABLE)
    target_link_libraries(${target} INTERFACE -l:${archive})
  else()
    target_link_libraries(${target} INTERFACE ${${prefix}_LINK_LIBRARIES})
  endif()
endfunction()

# core: threads, the CUDA module by dlopen, files, and pictures where there are libraries for them.
pkg_check_modules(ZLIB REQUIRED IMPORTED_TARGET zlib)
add_library(facula_files INTERFACE)
target_link_libraries(facula_files INTERFACE Threads::Threads ${CMAKE_DL_LIBS})
facula_use_if_found(facula_files PNG libpng core/png.cpp libpng16.a)
facula_use_if_found(facula_files JPEG libjpeg core/jpeg.cpp libjpeg.a)
facula_use(facula_files ZLIB libz.a)

# kernels/cpu: vectors and matrices. Of Highway there is no archive, and processor.cpp has what would be in it.
pkg_check_modules(OPENBLAS REQUIRED IMPORTED_TARGET openblas)
pkg_check_modules(HWY REQUIRED IMPORTED_TARGET libhwy)
add_library(facula_engine INTERFACE)
facula_use(facula_engine OPENBLAS libopenblas.a libgfortran.a libquadmath.a)
facula_use(facula_engine HWY)

# interp: LuaJIT with 64-bit collector pointers, since tensors and hosts fill the lower 2 GB.
pkg_check_modules(LUAJIT REQUIRED IMPORTED_TARGET luajit)
add_library(facula_lua INTERFACE)
facula_use(facula_lua LUAJIT libluajit-5.1.a)
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
  facula_use(facula_program EDIT libedit.a libtinfo.a libbsd.a libmd.a)
  target_compile_definitions(facula_program INTERFACE FACULA_WITH_EDIT)
endif()
