#include "kernels/cpu/fft_plan.h"

#include <cmath>
#include <limits>
#include <list>
#include <map>
#include <mutex>
#include <numbers>
#include <typeindex>
#include <utility>

#include "core/error.h"

namespace facula::cpu {
namespace {

struct Root {
  double re, im;
};

// exp(-2 pi i k / n) with an angle below pi / 4, so that it is exact but for the last rounding.
Root root(int64_t k, int64_t n) {
  k %= n;
  const bool lower = 2 * k > n;  // the lower half plane mirrors the upper one
  if (lower) k = n - k;
  const bool left = 4 * k > n;  // angle a beyond pi / 2: pi - a, in units of 2 pi / 2 n from here on
  const int64_t half = left ? n - 2 * k : 2 * k;
  const bool steep = 4 * half > n;  // beyond pi / 4: sine and cosine change places
  const double angle =
      std::numbers::pi / 2 / static_cast<double>(n) * static_cast<double>(steep ? n - 2 * half : 2 * half);
  double c = std::cos(angle), s = std::sin(angle);
  if (steep) std::swap(c, s);
  return {left ? -c : c, lower ? s : -s};
}

template <class T>
void push_root(std::vector<T>& roots, int64_t k, int64_t n) {
  const Root r = root(k, n);
  roots.push_back(static_cast<T>(r.re));
  roots.push_back(static_cast<T>(r.im));
}

// Radices of n: eights as far as they go, then what is left of powers of two, then primes.
std::vector<int64_t> radices(int64_t n) {
  std::vector<int64_t> r;
  for (; n % 8 == 0 && n != 16; n /= 8) r.push_back(8);
  for (; n % 4 == 0; n /= 4) r.push_back(4);
  for (int64_t p = 2; n > 1; p += p == 2 ? 1 : 2)
    for (; n % p == 0; n /= p) r.push_back(p);
  return r;
}

// The factor of n nearest to its square root, of those up to it.
int64_t lower_factor(int64_t n) {
  auto f = static_cast<int64_t>(std::sqrt(static_cast<double>(n)));
  while (f > 1 && n % f != 0) --f;
  return f;
}

// The smallest 2^a 3^b 5^c that is at least n and a multiple of 16.
int64_t smooth_length(int64_t n) {
  int64_t best = std::numeric_limits<int64_t>::max();
  for (int64_t five = 16; five < 80 * n; five *= 5)
    for (int64_t three = five; three < 48 * n; three *= 3) {
      int64_t m = three;
      while (m < n) m *= 2;
      best = std::min(best, m);
    }
  return best;
}

template <class T>
LaneView<T> dense_row(T* complex_row) {
  LaneView<T> v{};
  v.lane[0] = complex_row;
  v.lanes = 1, v.step = 2, v.imag = 1;
  return v;
}

// ---- the cache: least recently used plans go when all together exceed kCacheBytes ----

constexpr size_t kCacheBytes = size_t{64} << 20, kCachePlans = 256;

struct Entry {
  std::pair<std::type_index, int64_t> key;
  std::shared_ptr<const void> plan;
  size_t bytes;
};
struct Cache {
  std::mutex mutex;
  std::list<Entry> entries;  // the latest first
  std::map<std::pair<std::type_index, int64_t>, std::list<Entry>::iterator> found;
  size_t bytes = 0;
};
Cache& cache() {
  static auto* c = new Cache;  // lives as long as threads may ask for it
  return *c;
}

}  // namespace

bool is_smooth(int64_t n) {
  for (int64_t p = 2; p <= kLargestRadix; p += p == 2 ? 1 : 2)
    while (n % p == 0) n /= p;
  return n == 1;
}

template <class Plan>
std::shared_ptr<const Plan> fft_plan(int64_t n) {
  Cache& c = cache();
  const std::pair key{std::type_index(typeid(Plan)), n};
  {
    const std::lock_guard lock(c.mutex);
    if (const auto it = c.found.find(key); it != c.found.end()) {
      c.entries.splice(c.entries.begin(), c.entries, it->second);
      return std::static_pointer_cast<const Plan>(it->second->plan);
    }
  }
  auto plan = std::make_shared<const Plan>(n);  // two threads may make the same one; either will do
  const std::lock_guard lock(c.mutex);
  if (c.found.contains(key) || plan->bytes() > kCacheBytes) return plan;
  c.entries.push_front({key, plan, plan->bytes()});
  c.found[key] = c.entries.begin();
  c.bytes += plan->bytes();
  while (c.bytes > kCacheBytes || c.entries.size() > kCachePlans) {
    c.bytes -= c.entries.back().bytes;
    c.found.erase(c.entries.back().key);
    c.entries.pop_back();
  }
  return plan;
}

template <class T>
LanePlan<T>::LanePlan(int64_t length) : n(length) {
  int64_t groups = n, span = 1;
  for (const int64_t radix : radices(n)) {
    groups /= radix;
    passes.push_back({radix, groups, span, roots.size()});
    if (radix % 2 == 1)
      for (int64_t k = 0; k < radix; ++k) push_root(roots, k, radix);
    for (int64_t p = 0; p < groups && groups > 1; ++p)
      for (int64_t k = 1; k < radix; ++k) push_root(roots, p * k, radix * groups);
    span *= radix;
  }
}

template <class T>
static void plan_split(RowPlan<T>& plan, int64_t n1) {
  const int64_t n2 = plan.n / n1, lanes = kLanes<T>, blocks = (n2 + lanes - 1) / lanes;
  plan.columns = fft_plan<LanePlan<T>>(n1);
  plan.rows = fft_plan<LanePlan<T>>(n2);
  plan.lane_twist.resize(static_cast<size_t>(2 * n1 * lanes));
  for (int64_t k = 0; k < n1; ++k)
    for (int64_t l = 0; l < lanes; ++l) {
      const Root r = root(k * l, plan.n);
      plan.lane_twist[static_cast<size_t>(k * lanes + l)] = static_cast<T>(r.re);
      plan.lane_twist[static_cast<size_t>((n1 + k) * lanes + l)] = static_cast<T>(r.im);
    }
  plan.block_twist.reserve(static_cast<size_t>(2 * blocks * n1));
  for (int64_t b = 0; b < blocks; ++b)
    for (int64_t k = 0; k < n1; ++k) push_root(plan.block_twist, k * (b * lanes), plan.n);
}

template <class T>
static void plan_bluestein(RowPlan<T>& plan) {
  const int64_t n = plan.n, m = smooth_length(2 * n - 1);
  plan.convolution = fft_plan<RowPlan<T>>(m);
  __extension__ using Wide = unsigned __int128;
  for (int64_t j = 0; j < n; ++j)
    push_root(plan.chirp, static_cast<int64_t>(static_cast<Wide>(j) * static_cast<Wide>(j) % static_cast<Wide>(2 * n)),
              2 * n);
  std::vector<T> around(static_cast<size_t>(2 * m));
  plan.spectrum.resize(static_cast<size_t>(2 * m));
  for (int64_t j = 0; j < n; ++j)
    for (const int64_t at : {j, (m - j) % m}) {
      around[static_cast<size_t>(2 * at)] = plan.chirp[static_cast<size_t>(2 * j)];
      around[static_cast<size_t>(2 * at + 1)] = -plan.chirp[static_cast<size_t>(2 * j + 1)];
    }
  transform_row<T>(*plan.convolution, dense_row<const T>(around.data()), dense_row(plan.spectrum.data()),
                   T(1) / static_cast<T>(m));
}

template <class T>
RowPlan<T>::RowPlan(int64_t length) : n(length) {
  constexpr int64_t kShort = 48, kLeast = 4;
  const int64_t n1 = lower_factor(n);
  if (!is_smooth(n))
    plan_bluestein(*this);
  else if (n >= kShort && n1 >= kLeast)
    plan_split(*this, n1);
  else
    columns = fft_plan<LanePlan<T>>(n);
}

template <class T>
RealRoots<T>::RealRoots(int64_t n) {
  for (int64_t k = 0; k <= n / 4; ++k) push_root(roots, k, n);
}

#define FACULA_FFT_PLANS(T)                                                   \
  template struct LanePlan<T>;                                                \
  template struct RowPlan<T>;                                                 \
  template struct RealRoots<T>;                                               \
  template std::shared_ptr<const LanePlan<T>> fft_plan<LanePlan<T>>(int64_t); \
  template std::shared_ptr<const RowPlan<T>> fft_plan<RowPlan<T>>(int64_t);   \
  template std::shared_ptr<const RealRoots<T>> fft_plan<RealRoots<T>>(int64_t);
FACULA_FFT_PLANS(float)
FACULA_FFT_PLANS(double)

}  // namespace facula::cpu
