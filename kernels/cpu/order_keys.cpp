#include "kernels/cpu/order_keys.h"

#include <algorithm>
#include <bit>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/order_keys.cpp"
#include "kernels/cpu/targets.h"
// foreach_target.h comes after targets.h and before what it repeats.
#include "hwy/foreach_target.h"
#include "kernels/cpu/order.h"
#include "kernels/cpu/rows.h"

HWY_BEFORE_NAMESPACE();
namespace facula::cpu::HWY_NAMESPACE {
namespace {

template <class T>
void keys_of(void* keys, const void* from, int64_t stride, int64_t n, bool descending) {
  auto* __restrict to = static_cast<Key<T>*>(keys);
  const auto* __restrict x = static_cast<const T*>(from);
  const Key<T> flip = descending ? static_cast<Key<T>>(~Key<T>{0}) : Key<T>{0};
  if (stride == 1)
    for (int64_t i = 0; i < n; ++i) to[i] = static_cast<Key<T>>(key_of(x[i]) ^ flip);
  else
    for (int64_t i = 0; i < n; ++i) to[i] = static_cast<Key<T>>(key_of(x[i * stride]) ^ flip);
}

template <class K>
void tops_of(void* tops, int64_t groups, const void* keys, int64_t n) {
  auto* __restrict top = static_cast<K*>(tops);
  const auto* __restrict key = static_cast<const K*>(keys);
  std::copy_n(key, groups, top);
  for (int64_t first = groups; first < n; first += groups) {
    const int64_t count = std::min(groups, n - first);
    for (int64_t g = 0; g < count; ++g) top[g] = std::min(top[g], key[first + g]);
  }
}

template <class K>
int64_t places_up_to(int32_t* places, const void* keys, int64_t n, uint64_t bar) {
  const hn::ScalableTag<K> d;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  const auto* key = static_cast<const K*>(keys);
  const auto last = hn::Set(d, static_cast<K>(bar));
  int64_t found = 0, i = 0;
  for (; i + lanes <= n; i += lanes) {
    const auto v = hn::LoadU(d, key + i);
    const auto low = hn::Eq(hn::Min(v, last), v);
    if (hn::AllFalse(d, low)) continue;
    uint64_t bits = 0;
    hn::StoreMaskBits(d, low, reinterpret_cast<uint8_t*>(&bits));
    for (; bits; bits &= bits - 1) places[found++] = static_cast<int32_t>(i + std::countr_zero(bits));
  }
  for (; i < n; ++i)
    if (key[i] <= bar) places[found++] = static_cast<int32_t>(i);
  return found;
}

KeyRow key_row(DType t) {
  KeyRow functions{};
  with_real_type("topk", t, [&]<class T>() { functions = {keys_of<T>, tops_of<Key<T>>, places_up_to<Key<T>>}; });
  return functions;
}

}  // namespace
}  // namespace facula::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace facula::cpu {
HWY_EXPORT(key_row);
KeyRow key_row_of(DType t) { return HWY_DYNAMIC_DISPATCH(key_row)(t); }
}  // namespace facula::cpu
#endif
