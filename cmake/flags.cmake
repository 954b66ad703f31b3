# How facula's own code is compiled: the interface target `facula_flags`, and the options behind it.

option(FACULA_CHECKED "Check internal assertions (FACULA_ASSERT)" OFF)
set(FACULA_SANITIZE "" CACHE STRING "Sanitizers, as the compiler names them: address,undefined or thread")
option(FACULA_COVERAGE "Count executed lines, for lcov" OFF)

if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "Release or Debug" FORCE)
endif()

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
# Kernels ask for -O3 themselves. Never -march=native (Highway chooses at run time), never -ffast-math (NaN is a value).
set(CMAKE_CXX_FLAGS_RELEASE "-O2 -DNDEBUG")
set(CMAKE_C_FLAGS_RELEASE "-O2 -DNDEBUG")

# Libraries that nothing is taken from are not loaded at start-up.
add_link_options(-Wl,--as-needed)

# Libraries are the system's, and the CUDA module is looked for beside whoever asks for it: search paths only cost time.
set(CMAKE_SKIP_RPATH ON)

find_program(CCACHE ccache)
if(CCACHE)
  # ccache handles precompiled headers only when told not to compare their macros and times.
  set(CMAKE_CXX_COMPILER_LAUNCHER
    ${CMAKE_COMMAND} -E env CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime ${CCACHE})
  set(CMAKE_CUDA_COMPILER_LAUNCHER ${CCACHE})
endif()

add_library(facula_flags INTERFACE)
target_include_directories(facula_flags INTERFACE ${CMAKE_SOURCE_DIR})
# Symbols may be interposed by nobody, so that calls inside the library stay direct and can be inlined.
# Thread-local lists are on the path of every small tensor; a call to find them would cost a fifth of it.
target_compile_options(facula_flags INTERFACE -ftls-model=initial-exec)
target_compile_options(facula_flags INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Werror -fno-semantic-interposition)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  target_compile_options(facula_flags INTERFACE -Wno-restrict) # false alarms in std::string (GCC bug 105651)
endif()
if(CMAKE_CXX_COMPILER_ID MATCHES "Clang")
  # The pragmas are GCC's, for loops; `&` of two bools is meant where a branch would cost.
  target_compile_options(facula_flags INTERFACE -Wno-unknown-pragmas -Wno-bitwise-instead-of-logical)
endif()
if(CCACHE AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  target_compile_options(facula_flags INTERFACE -fpch-preprocess)
endif()
if(FACULA_CHECKED)
  target_compile_definitions(facula_flags INTERFACE FACULA_CHECKED)
endif()
if(FACULA_SANITIZE)
  target_compile_options(facula_flags INTERFACE
    -fsanitize=${FACULA_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer
    $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>) # instrumented code raises it falsely
  add_link_options(-fsanitize=${FACULA_SANITIZE})
endif()
if(FACULA_COVERAGE)
  target_compile_options(facula_flags INTERFACE --coverage)
  add_link_options(--coverage)
endif()
