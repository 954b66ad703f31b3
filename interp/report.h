// What this build is made of and what it found on this machine.
#pragma once

#include <string>

namespace facula {

/// Several lines, without the last line's end: versions, instruction set, BLAS, threads, CUDA. Loads no driver.
std::string build_report();
/// `LuaJIT 2.1.0-beta3, cpu 8 threads, cuda: no driver`: the banner's part.
std::string build_summary();
/// The report, and what else may explain how this machine behaves: processor, memory, limits, environment variables.
std::string environment_report();

}  // namespace facula
