// Positions are checked as a whole before anything is read or written at them; the kernels that do so trust them.
#include "kernels/cuda/index.h"

#include "kernels/cuda/register.h"

namespace facula::cuda {
namespace {

/// A number on the device that kernels set where something is wrong.
class Alarm {
 public:
  explicit Alarm(const Queue& queue, Device device) : flag_(empty({1}, DType::Int32, device)) {
    const int32_t quiet = 0;
    put(queue, flag_.bytes(), &quiet, sizeof quiet);
  }
  int32_t* flag() const { return flag_.data<int32_t>(); }
  bool rings() const { return item(flag_).to<bool>(); }

 private:
  Tensor flag_;
};

struct Check {
  uint64_t n;
  int32_t* alarm;
  __device__ void operator()(char* const (&p)[1]) const {
    if (static_cast<uint64_t>(*reinterpret_cast<const int64_t*>(p[0])) - 1 >= n) *alarm = 1;
  }
};

struct AddOffset {
  int64_t n, bytes;
  int32_t* alarm;
  __device__ void operator()(char* const (&p)[2]) const {
    const int64_t position = *reinterpret_cast<const int64_t*>(p[1]), at = position > 0 ? position - 1 : position + n;
    if (static_cast<uint64_t>(at) >= static_cast<uint64_t>(n)) *alarm = 1;
    *reinterpret_cast<int64_t*>(p[0]) += at * bytes;
  }
};

// Names the first position that is outside.
[[noreturn]] void position_outside(const Queue& queue, const Tensor& index, const Tensor& x, int64_t dim,
                                   bool from_end) {
  const int64_t n = x.size(dim);
  const Tensor dense = empty(index.sizes(), DType::Int64, index.device()), host = empty(index.sizes(), DType::Int64);
  slots::copy(dense, index);
  runtime(DeviceType::CUDA)
      .copy(host.bytes(), host.device(), dense.bytes(), dense.device(),
            static_cast<size_t>(host.numel() * host.item_size()));
  const int64_t* at = host.data<int64_t>();
  while ((1 <= *at && *at <= n) || (from_end && -n <= *at && *at < 0)) ++at;
  fail(queue.slot(), ": position ", *at, " is outside 1..", n, " in dimension ", Counting::shown(dim), " of ",
       x.sizes());
}

}  // namespace

void check_positions(const Queue& queue, const Tensor& index, const Tensor& x, int64_t dim) {
  if (index.numel() == 0) return;
  const Alarm alarm(queue, index.device());
  each<1>(queue, {&index}, Check{static_cast<uint64_t>(x.size(dim)), alarm.flag()});
  if (alarm.rings()) position_outside(queue, index, x, dim, false);
}

Tensor offsets(const Queue& queue, const Tensor& x, TensorSpan indices) {
  const Tensor sum = empty(indices[0].sizes(), DType::Int64, x.device());
  if (sum.numel() == 0) return sum;
  slots::fill(sum, Scalar(0));
  for (size_t d = 0; d < indices.size(); ++d) {
    const auto dim = static_cast<int64_t>(d);
    const Alarm alarm(queue, x.device());
    each<2>(queue, {&sum, &indices[d]}, AddOffset{x.size(dim), x.stride(dim) * x.item_size(), alarm.flag()});
    if (alarm.rings()) position_outside(queue, indices[d], x, dim, true);
  }
  return sum;
}

void fill_index_slots() {
  slots::gather.fill(DeviceType::CUDA, gather);
  slots::index_select.fill(DeviceType::CUDA, index_select);
  slots::index.fill(DeviceType::CUDA, index);
  slots::scatter.fill(DeviceType::CUDA, scatter);
  slots::scatter_add.fill(DeviceType::CUDA, scatter_add);
  slots::index_add.fill(DeviceType::CUDA, index_add);
  slots::index_put.fill(DeviceType::CUDA, index_put);
  slots::nonzero.fill(DeviceType::CUDA, nonzero);
}

}  // namespace facula::cuda
