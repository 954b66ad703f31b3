#include "interp/report.h"

#include <cblas.h>
#include <hwy/targets.h>

#include <sys/resource.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <lua.hpp>
#include <thread>

#include "core/device.h"
#include "core/error.h"
#include "core/parallel.h"

namespace facula {
namespace {

/// The best instruction set that both the kernels and this processor have.
std::string instruction_set() {
  const int64_t supported = hwy::SupportedTargets();
  return hwy::TargetName(supported & -supported);  // lower bits are better ones
}

/// Without loading the module, which would wake the driver.
std::string cuda_state() {
  std::error_code ignored;
  if (!std::filesystem::exists(cuda_module_path(), ignored)) return "not built";
  const bool driver = std::filesystem::exists("/dev/nvidiactl", ignored);
  return driver ? "loaded at its first use" : "no driver";
}

// ---- the machine ----

constexpr const char* kVariables[] = {
    "FACULA_PATH",          "FACULA_NUM_THREADS", "OMP_NUM_THREADS",   "FACULA_DEVICE",        "FACULA_CUDA_MODULE",
    "CUDA_VISIBLE_DEVICES", "FACULA_SYNC",        "OPENBLAS_CORETYPE", "OPENBLAS_NUM_THREADS", "FACULA_STARTUP"};

std::string system_name() {
  utsname system{};
  uname(&system);
  return text(system.sysname, ' ', system.release, ", ", system.machine);
}

std::string processor() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);)
    if (line.starts_with("model name")) return line.substr(std::min(line.find(": "), line.size() - 2) + 2);
  return "unknown";
}

std::string megabytes(uint64_t bytes) { return text(bytes >> 20, " MB"); }

uint64_t memory_size() {
  return static_cast<uint64_t>(sysconf(_SC_PHYS_PAGES)) * static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
}

/// RLIMIT_AS is in bytes.
std::string limit(int resource) {
  rlimit r{};
  getrlimit(resource, &r);
  if (r.rlim_cur == RLIM_INFINITY) return "none";
  return resource == RLIMIT_AS ? megabytes(r.rlim_cur) : text(r.rlim_cur);
}

}  // namespace

std::string build_report() {
  return text("facula ", FACULA_VERSION,                                                       //
              "\nLuaJIT:  ", &LUAJIT_VERSION[sizeof("LuaJIT")],                                //
              "\nBLAS:    ", openblas_get_config(), ", running as ", openblas_get_corename(),  //
              "\nvectors: ", instruction_set(),                                                //
              "\nthreads: ", num_threads(),                                                    //
              "\nCUDA:    ", cuda_state());
}

std::string build_summary() {
  const int n = num_threads();
  return text(LUAJIT_VERSION, ", cpu ", n, n == 1 ? " thread" : " threads", ", cuda: ", cuda_state());
}

std::string environment_report() {
  std::string out = build_report();
  out += text("\nsystem:  ", system_name(), "\nCPU:     ", processor(), ", ", std::thread::hardware_concurrency(),
              " threads", "\nmemory:  ", megabytes(memory_size()), ", limit ", limit(RLIMIT_AS),
              "\nfiles:   ", limit(RLIMIT_NOFILE), " open at most");
  for (const char* const name : kVariables)
    if (const char* const value = std::getenv(name)) out += text("\n", name, '=', value);
  return out;
}

}  // namespace facula
