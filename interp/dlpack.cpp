#include "interp/dlpack.h"

#include <algorithm>
#include <memory>

#include "core/autograd.h"
#include "core/mapped_file.h"
#include "interp/enumeration.h"
#include "interp/facula_dlpack.h"
#include "interp/number.h"
#include "interp/types.h"

namespace facula::interp {
namespace {

constexpr DLDataType kTypes[kDTypes] = {{kDLBool, 8, 1},   {kDLUInt, 8, 1},     {kDLInt, 8, 1},
                                        {kDLInt, 16, 1},   {kDLInt, 32, 1},     {kDLInt, 64, 1},
                                        {kDLFloat, 16, 1}, {kDLBfloat, 16, 1},  {kDLFloat, 32, 1},
                                        {kDLFloat, 64, 1}, {kDLComplex, 64, 1}, {kDLComplex, 128, 1}};

DType dtype_of_dlpack(const DLDataType& t) {
  for (int i = 0; i < kDTypes; ++i)
    if (kTypes[i].code == t.code && kTypes[i].bits == t.bits && t.lanes == 1) return static_cast<DType>(i);
  fail("from_dlpack: there is no dtype for code ", int{t.code}, " with ", int{t.bits}, " bits and ", t.lanes,
       t.lanes == 1 ? " lane" : " lanes");
}

Device device_of_dlpack(const DLDevice& d) {
  const int type = number_in(d.device_type);
  if (type == kDLCPU || type == kDLCUDAHost) return {};
  check(type == kDLCUDA, "from_dlpack: device type ", type, " is not known");
  const int count = runtime(DeviceType::CUDA).count();
  check(d.device_id >= 0 && d.device_id < count, "from_dlpack: device ", d.device_id, " is not among the ", count,
        " cuda devices");
  return {DeviceType::CUDA, d.device_id};
}

struct Exported {
  DLManagedTensor managed;
  Tensor tensor;
};

void delete_exported(DLManagedTensor* managed) { delete static_cast<Exported*>(managed->manager_ctx); }

struct Deleter {
  void operator()(DLManagedTensor* managed) const {
    if (managed->deleter) managed->deleter(managed);
  }
};
using Managed = std::unique_ptr<DLManagedTensor, Deleter>;

}  // namespace

DLManagedTensor* to_dlpack(const Tensor& t) {
  check(!requires_grad(t), "to_dlpack: the tensor requires grad; use x:detach()");
  check(!t.is_meta(), "to_dlpack: a meta tensor has no elements");
  auto exported = std::make_unique<Exported>();
  exported->tensor = t.alias();
  const Device device = t.device();
  DLTensor& d = exported->managed.dl_tensor;
  d.data = t.bytes();
  d.device = {device.is_cuda() ? kDLCUDA : kDLCPU, device.index};
  d.ndim = static_cast<int32_t>(t.dim());
  d.dtype = kTypes[static_cast<int>(t.dtype())];
  d.shape = exported->tensor.impl()->sizes.begin();
  d.strides = exported->tensor.impl()->strides.begin();
  d.byte_offset = 0;
  exported->managed.manager_ctx = exported.get();
  exported->managed.deleter = delete_exported;
  return &exported.release()->managed;
}

Tensor from_dlpack(DLManagedTensor* managed) {
  const DLTensor& d = managed->dl_tensor;
  const DType dtype = dtype_of_dlpack(d.dtype);
  const Device device = device_of_dlpack(d.device);
  check(d.ndim >= 0 && d.ndim <= 64, "from_dlpack: ", d.ndim, " dimensions, expected 0 to 64");
  check(d.ndim == 0 || d.shape, "from_dlpack: the shape is missing");
  Sizes sizes(static_cast<size_t>(d.ndim));
  std::copy_n(d.shape, d.ndim, sizes.begin());
  const int64_t numel = numel_of(sizes);
  IntList strides = contiguous_strides(sizes);
  if (d.strides) std::copy_n(d.strides, d.ndim, strides.begin());
  for (const int64_t s : strides) check(s >= 0 || numel == 0, "from_dlpack: stride ", s, " is negative; copy it first");
  char* const data = static_cast<char*>(d.data) + d.byte_offset;
  check(d.data || numel == 0, "from_dlpack: the data is missing");
  const auto item = static_cast<uintptr_t>(std::min<int64_t>(item_size(dtype), 8));
  check(reinterpret_cast<uintptr_t>(data) % item == 0, "from_dlpack: the data is not aligned to ", item, " bytes");
  check(holds_booleans(borrow(data, sizes, strides, dtype, device, [] {})),
        "from_dlpack: the booleans have other values than 0 and 1");
  return borrow(data, sizes, strides, dtype, device, [managed] { Deleter()(managed); });
}

// ---- capsules in Lua -----------------------------------------------------------------------------------------------------

namespace {

int make_capsule(Call& c) {
  Managed managed(to_dlpack(c.tensor()));
  push_object(c.L, c.S.capsule, std::move(managed));
  return 1;
}

// A capsule, which is empty afterwards, a tensor, or the address of a structure from the host.
int open_capsule(Call& c) {
  const int at = c.source(0);
  if (const Tensor* t = to_tensor(c.L, c.S, at)) return c.returns(from_dlpack(to_dlpack(*t)));
  if (auto* capsule = static_cast<Managed*>(to_object(c.L, c.S.capsule, at))) {
    check(*capsule != nullptr, "from_dlpack: the capsule has been used");
    Tensor t = from_dlpack(capsule->get());
    capsule->release();
    return c.returns(t);
  }
  check(lua_islightuserdata(c.L, at), "from_dlpack: expected a capsule, a tensor or a light userdata, got ",
        describe(c.L, c.S, at));
  return c.returns(from_dlpack(static_cast<DLManagedTensor*>(lua_touserdata(c.L, at))));
}

// Memory at an address, dense; what stands in the last argument is kept as long as a tensor uses it.
int borrow_memory(Call& c) {
  const auto address = c.get<int64_t>(0);
  const Sizes sizes = c.get<IntList>(1);
  const auto dtype = c.get<DType>(2);
  const auto item = std::min<int64_t>(facula::item_size(dtype), 8);
  check(sizes.size() <= 64, "from_buffer: ", sizes.size(), " dimensions, expected 0 to 64");
  check(numel_of(sizes) == 0 || address != 0, "from_buffer: the pointer is NULL");
  check(address % item == 0, "from_buffer: the memory is not aligned to ", item, " bytes, as ", dtype, " must be");
  lua_pushvalue(c.L, c.source(3));
  auto owner = std::make_shared<LuaRef>(c.L, c.S);
  const Tensor x = borrow(reinterpret_cast<void*>(address), sizes, contiguous_strides(sizes), dtype, {}, [owner] {});
  check(holds_booleans(x), "from_buffer: the booleans have other values than 0 and 1");
  return c.returns(x);
}

constexpr Native kFunctions[] = {
    {"core.borrow(int address, int[] sizes, DType dtype, any owner) -> Tensor", borrow_memory},
    {"to_dlpack(Tensor tensor) -> any", make_capsule,
     "A capsule that shares the tensor's memory, for `from_dlpack` here or in another library of the process.",
     "torch.from_dlpack(torch.to_dlpack(torch.ones(2)))"},
    {"from_dlpack(any ext_tensor) -> Tensor", open_capsule,
     "A tensor over the memory of a capsule, without a copy. A capsule can be used once.",
     "torch.from_dlpack(torch.to_dlpack(torch.ones(2)))"},
};

}  // namespace

void open_dlpack(lua_State* L, State& S) {
  add_natives(L, S, kFunctions);
  new_metatable(L, S.capsule, "torch.DLPack");
  const Metamethod metamethods[] = {{"__gc", collect_object<Managed, &State::capsule>}};
  set_metamethods(L, S, metamethods);
  lua_pop(L, 1);
}

}  // namespace facula::interp
