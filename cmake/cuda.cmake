# libfacula_cuda.so: a module of its own, built where nvcc is, loaded at the first use of a cuda device. It takes core's
# symbols from the program or library that loads it.

set(FACULA_CUDA AUTO CACHE STRING "Build the CUDA module: AUTO (where nvcc is found), ON or OFF")
set(FACULA_CUDA_ARCH 90 CACHE STRING "CUDA architectures to build for, as in CMAKE_CUDA_ARCHITECTURES")
file(GLOB cuda_sources CONFIGURE_DEPENDS kernels/cuda/*.cu kernels/cuda/*.cpp)
if(NOT FACULA_CUDA OR NOT cuda_sources)
  return()
endif()

if(NOT CMAKE_CUDA_COMPILER)
  find_program(NVCC nvcc HINTS /usr/local/cuda/bin)
  if(NVCC)
    set(CMAKE_CUDA_COMPILER ${NVCC})
  elseif(FACULA_CUDA STREQUAL "AUTO")
    message(STATUS "No nvcc: building without CUDA")
    return()
  endif()
endif()

set(CMAKE_CUDA_ARCHITECTURES ${FACULA_CUDA_ARCH})
enable_language(CUDA)
find_package(CUDAToolkit REQUIRED)
if(NOT CMAKE_CUDA20_STANDARD_COMPILE_OPTION) # CMake 3.25 does not know that nvcc can do it
  set(CMAKE_CUDA20_STANDARD_COMPILE_OPTION -std=c++20)
endif()

add_library(facula_cuda MODULE ${cuda_sources})
target_include_directories(facula_cuda PRIVATE ${CMAKE_SOURCE_DIR})
target_compile_options(facula_cuda PRIVATE
  $<$<COMPILE_LANGUAGE:CUDA>:--extended-lambda --expt-relaxed-constexpr -Xcompiler=-Wall,-Wextra,-Werror>
  $<$<COMPILE_LANGUAGE:CXX>:-Wall -Wextra -Wpedantic -Wshadow -Werror>)
# cuBLAS is opened at the first product, not linked: loading it takes 45 ms.
target_link_libraries(facula_cuda PRIVATE CUDA::cudart_static)
set_target_properties(facula_cuda PROPERTIES BUILD_RPATH "${CUDAToolkit_LIBRARY_DIR}")
