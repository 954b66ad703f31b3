#include "core/device.h"

#include <dlfcn.h>

#include <charconv>
#include <cstdlib>
#include <filesystem>
#include <mutex>
#include <ostream>

#include "core/allocator.h"
#include "core/error.h"

namespace facula {

std::ostream& operator<<(std::ostream& out, Device d) {
  switch (d.type) {
    case DeviceType::CPU: return out << "cpu";
    case DeviceType::Meta: return out << "meta";
    case DeviceType::CUDA: return out << "cuda:" << int{d.index};
  }
  __builtin_unreachable();
}

Device parse_device(std::string_view name) {
  if (name == "cpu" || name == "cpu:0") return {};
  if (name == "meta") return DeviceType::Meta;
  if (name == "cuda") return {DeviceType::CUDA, runtime(DeviceType::CUDA).current_device()};
  int index = 0;
  if (name.starts_with("cuda:")) {
    const auto digits = name.substr(5);
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), index);
    if (error == std::errc() && end == digits.data() + digits.size() && index >= 0 && index < 128) {
      const int n = runtime(DeviceType::CUDA).count();
      check(index < n, "device: '", name, "' is not there, this machine has ", n,
            n == 1 ? " cuda device" : " cuda devices");
      return {DeviceType::CUDA, index};
    }
  }
  if (name.starts_with("mps"))
    fail("device: '", name, "' is not built in; there are 'cpu', 'meta', 'cuda' and 'cuda:N'");
  fail("device: unknown device '", name, "', expected 'cpu', 'meta', 'cuda' or 'cuda:N'");
}

// The module stands beside whatever holds core: the program, libfacula.so, or the Lua module. It takes core's symbols from
// there, so the holder's symbols are made global first (a host may have loaded us locally).
std::string cuda_module_path() {
  Dl_info self;
  const bool known = dladdr(reinterpret_cast<const void*>(&cuda_module_path), &self) && self.dli_fname;
  if (known) dlopen(self.dli_fname, RTLD_NOLOAD | RTLD_LAZY | RTLD_GLOBAL);
  if (const char* path = std::getenv("FACULA_CUDA_MODULE")) return path;
  if (!known) return "libfacula_cuda.so";
  std::error_code error;
  const auto here = std::filesystem::canonical(self.dli_fname, error).parent_path();
  for (const char* place : {"libfacula_cuda.so", "../lib/libfacula_cuda.so", "../lib/facula/libfacula_cuda.so",
                            "../libfacula_cuda.so", "../../libfacula_cuda.so"})
    if (const auto path = here / place; std::filesystem::exists(path, error)) return path.string();
  return "libfacula_cuda.so";
}

namespace {

struct CudaModule {
  Runtime* runtime = nullptr;
  std::string error;

  CudaModule() {
    void* library = dlopen(cuda_module_path().c_str(), RTLD_NOW | RTLD_LOCAL);
    if (!library) {
      error = text("the CUDA module cannot be loaded (", dlerror(), ")");
      return;
    }
    // Returns the runtime after filling the slots, or null and a reason (no driver, no device).
    using Attach = Runtime* (*)(const char** reason);
    const auto attach = reinterpret_cast<Attach>(dlsym(library, "facula_cuda_attach"));
    const char* reason = "it has no facula_cuda_attach";
    runtime = attach ? attach(&reason) : nullptr;
    if (!runtime) error = text("no cuda device can be used (", reason, ")");
  }
};

CudaModule& cuda_module() {
  static auto* module = new CudaModule;
  return *module;
}

}  // namespace

Runtime& runtime(DeviceType type) {
  switch (type) {
    case DeviceType::CPU: return cpu_runtime();
    case DeviceType::Meta: return meta_runtime();
    case DeviceType::CUDA: {
      CudaModule& module = cuda_module();
      check(module.runtime != nullptr, "cuda: ", module.error);
      return *module.runtime;
    }
  }
  __builtin_unreachable();
}

Runtime* cuda_runtime_if_available() { return cuda_module().runtime; }
const std::string& cuda_load_error() { return cuda_module().error; }

}  // namespace facula
