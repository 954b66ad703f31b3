// torch.cuda: what there is of it without tensors.
#include "interp/settings.h"

namespace facula::interp {
namespace {

int cuda_is_available(Call& c) {
  Runtime* cuda = cuda_runtime_if_available();
  return c.returns(cuda && cuda->count() > 0);
}
int cuda_device_count(Call& c) {
  Runtime* cuda = cuda_runtime_if_available();
  return c.returns(int64_t{cuda ? cuda->count() : 0});
}

int ordinal(Call& c, int i) {
  Runtime& cuda = runtime(DeviceType::CUDA);
  const int64_t n = c.given(i) ? c.get<int64_t>(i) : cuda.current_device();
  check(n >= 0 && n < cuda.count(), "cuda: device ", n, " is not among the ", cuda.count(),
        " devices, which count from 0");
  return static_cast<int>(n);
}
int cuda_device_name(Call& c) {
  const int i = ordinal(c, 0);
  lua_pushstring(c.L, runtime(DeviceType::CUDA).device_name(i).c_str());
  return 1;
}
int cuda_current_device(Call& c) { return c.returns(int64_t{runtime(DeviceType::CUDA).current_device()}); }
int cuda_set_device(Call& c) {
  const int i = ordinal(c, 0);
  runtime(DeviceType::CUDA).set_current_device(i);
  return 0;
}
int cuda_synchronize(Call& c) {
  const int i = ordinal(c, 0);
  runtime(DeviceType::CUDA).synchronize(i);
  return 0;
}
int cuda_memory_allocated(Call& c) {
  const int i = ordinal(c, 0);
  return c.returns(runtime(DeviceType::CUDA).memory_stats(i).allocated);
}
int cuda_empty_cache(Call&) {
  if (Runtime* cuda = cuda_runtime_if_available()) cuda->empty_cache();
  return 0;
}

int never(Call& c) { return c.returns(false); }

constexpr Native kFunctions[] = {
    {"cuda.is_available() -> bool", cuda_is_available, "Is there a device, a driver, and the CUDA module?",
     "torch.cuda.is_available()"},
    {"cuda.device_count() -> int", cuda_device_count, "How many devices there are.", "torch.cuda.device_count()"},
    {"cuda.get_device_name(int? device=None) -> str", cuda_device_name, "The name of a device, by its number from 0.",
     "torch.cuda.is_available() and torch.cuda.get_device_name()"},
    {"cuda.current_device() -> int", cuda_current_device, "The number of the device that `cuda` stands for.",
     "torch.cuda.is_available() and torch.cuda.current_device()"},
    {"cuda.set_device(int device)", cuda_set_device, "Makes `cuda` stand for another device.",
     "torch.cuda.is_available() and torch.cuda.set_device(0)"},
    {"cuda.synchronize(int? device=None)", cuda_synchronize, "Waits until the device has done everything.",
     "torch.cuda.is_available() and torch.cuda.synchronize()"},
    {"cuda.memory_allocated(int? device=None) -> int", cuda_memory_allocated, "Bytes in use on the device.",
     "torch.cuda.is_available() and torch.cuda.memory_allocated()"},
    {"cuda.empty_cache()", cuda_empty_cache, "Gives cached blocks back to the driver.",
     "torch.cuda.is_available() and torch.cuda.empty_cache()"},
    {"backends.mps.is_available() -> bool", never, "false: there is no such device here.",
     "torch.backends.mps.is_available()"},
};

}  // namespace

void open_cuda(lua_State* L, State& S) { add_natives(L, S, kFunctions); }

}  // namespace facula::interp
