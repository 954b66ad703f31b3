#include "interp/report.h"

#include <cblas.h>
#include <hwy/targets.h>

#include <filesystem>
#include <lua.hpp>

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
  return driver ? "built, loaded at its first use" : "built, no driver on this machine";
}

}  // namespace

std::string build_report() {
  return text("facula ", FACULA_VERSION,                                                       //
              "\nLuaJIT:  ", LUAJIT_VERSION + sizeof("LuaJIT"),                                //
              "\nBLAS:    ", openblas_get_config(), ", running as ", openblas_get_corename(),  //
              "\nvectors: ", instruction_set(),                                                //
              "\nthreads: ", num_threads(),                                                    //
              "\nCUDA:    ", cuda_state());
}

std::string build_summary() {
  const int n = num_threads();
  return text(LUAJIT_VERSION, ", cpu ", n, n == 1 ? " thread" : " threads");
}

}  // namespace facula
