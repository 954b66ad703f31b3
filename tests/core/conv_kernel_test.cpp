// Convolution and max pooling against loops over all indices. Elements are small integers, so that every dtype is
// exact.
#include <cmath>
#include <limits>

#include "kernel_test.h"

namespace facula::test {
namespace {

struct Case {
  int64_t N, C, O;  // C and O in all groups
  Sizes in, kernel;
  IntList stride, padding, dilation;
  int64_t groups = 1;

  int64_t out(size_t d) const { return (in[d] + 2 * padding[d] - dilation[d] * (kernel[d] - 1) - 1) / stride[d] + 1; }
  static Sizes joined(int64_t a, int64_t b, const Sizes& space) {
    Sizes sizes{a, b};
    for (const int64_t n : space) sizes.push_back(n);
    return sizes;
  }
  Sizes x() const { return joined(N, C, in); }
  Sizes w() const { return joined(O, C / groups, kernel); }
  Sizes y() const {
    Sizes sizes{N, O};
    for (size_t d = 0; d < in.size(); ++d) sizes.push_back(out(d));
    return sizes;
  }
};

const Case kCases[] = {
    {2, 3, 4, {7}, {3}, {1}, {0}, {1}},
    {2, 4, 6, {9}, {3}, {2}, {2}, {2}, 2},
    {2, 3, 4, {6, 7}, {3, 3}, {1, 1}, {1, 1}, {1, 1}},
    {1, 1, 5, {6, 5}, {2, 3}, {1, 1}, {0, 0}, {1, 1}},
    {3, 4, 6, {8, 9}, {3, 2}, {2, 3}, {2, 1}, {2, 1}, 2},
    {2, 5, 7, {4, 5}, {1, 1}, {1, 1}, {0, 0}, {1, 1}},
    {2, 5, 7, {5, 4}, {1, 1}, {2, 2}, {0, 0}, {1, 1}},
    {2, 4, 6, {4, 5}, {1, 1}, {1, 1}, {0, 0}, {1, 1}, 2},
    {2, 4, 4, {6, 7}, {3, 3}, {1, 1}, {1, 1}, {1, 1}, 4},
    {2, 3, 6, {7, 6}, {3, 3}, {2, 2}, {1, 1}, {1, 1}, 3},
    {1, 2, 3, {4, 5, 6}, {2, 3, 2}, {1, 2, 1}, {1, 0, 1}, {1, 1, 2}},
    {2, 2, 2, {3, 4, 3}, {2, 2, 2}, {1, 1, 1}, {1, 1, 1}, {1, 1, 1}, 2},
    {1, 2, 2, {2, 2}, {3, 3}, {1, 1}, {3, 3}, {1, 1}},
    {0, 2, 3, {4, 4}, {3, 3}, {1, 1}, {1, 1}, {1, 1}},
    {17, 20, 33, {12, 10}, {3, 3}, {1, 1}, {1, 1}, {1, 1}},
    {1, 40, 24, {20, 18}, {3, 3}, {1, 1}, {1, 1}, {1, 1}},
    {2, 16, 8, {19, 33}, {5, 3}, {1, 1}, {2, 0}, {1, 1}},
    {2, 17, 40, {7, 7}, {3, 3}, {1, 1}, {1, 1}, {1, 1}},  // much between the output rows
    {2, 20, 18, {6, 5}, {1, 1}, {1, 1}, {0, 0}, {1, 1}},  // nothing around the picture
    {1, 80, 72, {5, 5}, {3, 3}, {1, 1}, {1, 1}, {1, 1}},  // long sums
    {1, 80, 8, {4, 60}, {3, 3}, {1, 1}, {1, 1}, {1, 1}},
};

// Calls visit(x, w, y), the numbers of three elements that meet in a product.
template <class Visit>
void for_products(const Case& c, Visit visit) {
  const size_t space = c.in.size();
  const int64_t C = c.C / c.groups, O = c.O / c.groups;
  const int64_t outs = numel_of(c.y()) / std::max<int64_t>(1, c.N * c.O), taps = numel_of(c.kernel),
                ins = numel_of(c.in);
  for (int64_t n = 0; n < c.N; ++n)
    for (int64_t o = 0; o < c.O; ++o)
      for (int64_t i = 0; i < C; ++i)
        for (int64_t p = 0; p < outs; ++p)
          for (int64_t k = 0; k < taps; ++k) {
            int64_t place = 0, step = 1, rest_p = p, rest_k = k;
            bool inside = true;
            for (size_t d = space; d-- > 0;) {
              const int64_t at = rest_p % c.out(d) * c.stride[d] + rest_k % c.kernel[d] * c.dilation[d] - c.padding[d];
              inside = inside && 0 <= at && at < c.in[d];
              place += at * step;
              step *= c.in[d];
              rest_p /= c.out(d);
              rest_k /= c.kernel[d];
            }
            if (inside)
              visit((n * c.C + o / O * C + i) * ins + place, (o * C + i) * taps + k, (n * c.O + o) * outs + p);
          }
}

TEST_CASE("convolution and its adjoints are the sums of products, in every dtype") {
  for (const DType dtype : kAllDTypes) {
    if (dtype == DType::Bool) continue;
    for (const Case& c : kCases) {
      const Tensor x = integers(dtype, c.x(), 1), w = integers(dtype, c.w(), 2), g = integers(dtype, c.y(), 3);
      std::vector<complex128> y(g.numel()), dx(x.numel()), dw(w.numel()), xs, ws, gs;
      for (int64_t i = 0; i < x.numel(); ++i) xs.push_back(get(x, i));
      for (int64_t i = 0; i < w.numel(); ++i) ws.push_back(get(w, i));
      for (int64_t i = 0; i < g.numel(); ++i) gs.push_back(get(g, i));
      for_products(c, [&](int64_t i, int64_t j, int64_t k) {
        y[k] += xs[i] * ws[j];
        dx[i] += gs[k] * ws[j];
        dw[j] += gs[k] * xs[i];
      });
      auto expected = [&](const Sizes& sizes, const std::vector<complex128>& values) {
        const Tensor t = empty(sizes, dtype);
        for (size_t i = 0; i < values.size(); ++i) set(t, static_cast<int64_t>(i), values[i]);
        return t;
      };
      auto run = [&](const slots::ConvSlot& slot, const Sizes& sizes, const Tensor& a, const Tensor& b) {
        return on_threads([&] {
          const Tensor out = empty(sizes, dtype);
          std::memset(out.bytes(), 0x7f, out.numel() * out.item_size());  // what lies there must not matter
          slot(out, a, b, c.stride, c.padding, c.dilation, c.groups);
          return out;
        });
      };
      INFO(dtype, " ", c.x(), " ", c.w(), " ", c.y());
      CHECK(distance(run(slots::conv, c.y(), x, w), expected(c.y(), y)) == 0);
      CHECK(distance(run(slots::conv_input, c.x(), g, w), expected(c.x(), dx)) == 0);
      CHECK(distance(run(slots::conv_weight, c.w(), g, x), expected(c.w(), dw)) == 0);
    }
  }
}

struct PoolCase {
  Sizes planes, in, kernel;
  IntList stride, padding, dilation;
  Sizes out;
};
const PoolCase kPoolCases[] = {
    {{2, 3}, {9}, {3}, {2}, {1}, {1}, {5}},
    {{2, 3}, {8, 10}, {2, 2}, {2, 2}, {0, 0}, {1, 1}, {4, 5}},
    {{1, 2}, {28, 28}, {2, 2}, {2, 2}, {0, 0}, {1, 1}, {14, 14}},
    {{2, 3}, {7, 9}, {3, 3}, {1, 1}, {1, 1}, {1, 1}, {7, 9}},
    {{2, 1}, {7, 8}, {3, 2}, {3, 3}, {1, 1}, {2, 2}, {2, 3}},
    {{2, 2}, {5, 5}, {2, 2}, {2, 2}, {0, 0}, {1, 1}, {3, 3}},  // the last windows hang over
    {{1, 2}, {4, 5, 6}, {2, 3, 2}, {1, 2, 2}, {1, 1, 0}, {1, 1, 1}, {5, 3, 3}},
    {{0, 2}, {4, 4}, {2, 2}, {2, 2}, {0, 0}, {1, 1}, {2, 2}},
};

Sizes with_planes(const PoolCase& c, const Sizes& space) { return Case::joined(c.planes[0], c.planes[1], space); }

TEST_CASE("max pooling keeps the largest and its place, NaN above all") {
  for (const DType dtype : kAllDTypes) {
    if (is_complex(dtype) || dtype == DType::Bool) continue;
    for (const PoolCase& c : kPoolCases) {
      const Tensor x = integers(dtype, with_planes(c, c.in));
      if (is_floating(dtype))
        for (int64_t i = 0; i < x.numel(); ++i) {
          if (i % 23 == 7) set(x, i, std::nan(""));
          if (i % 3 == 1 || i % 40 < 20) set(x, i, -std::numeric_limits<double>::infinity());
        }
      const Sizes sizes = with_planes(c, c.out);
      const Tensor values = empty(sizes, dtype), places = empty(sizes, DType::Int64);
      const int64_t in_plane = numel_of(c.in), out_plane = numel_of(c.out);
      for (int64_t i = 0; i < values.numel(); ++i) {
        int64_t best = -1;
        for (int64_t k = 0; k < numel_of(c.kernel); ++k) {
          int64_t place = 0, step = 1, rest_o = i % out_plane, rest_k = k;
          bool inside = true;
          for (size_t d = c.in.size(); d-- > 0;) {
            const int64_t at = rest_o % c.out[d] * c.stride[d] + rest_k % c.kernel[d] * c.dilation[d] - c.padding[d];
            inside = inside && 0 <= at && at < c.in[d];
            place += at * step;
            step *= c.in[d];
            rest_o /= c.out[d];
            rest_k /= c.kernel[d];
          }
          if (!inside) continue;
          const int64_t plane = i / out_plane * in_plane;
          const double v = get(x, plane + place).real();
          if (best < 0 || v > get(x, plane + best).real() || std::isnan(v)) best = place;
        }
        std::memcpy(address(values, i), address(x, i / out_plane * in_plane + best), x.item_size());
        set(places, i, static_cast<double>(best + 1));
      }
      INFO(dtype, " ", c.in, " ", c.kernel, " ", c.out);
      Tensor y;
      const Tensor at = on_threads([&] {
        y = empty(sizes, dtype);
        const Tensor p = empty(sizes, DType::Int64);
        slots::max_pool(y, p, x, c.kernel, c.stride, c.padding, c.dilation);
        return p;
      });
      CHECK(same_bits(at, places));
      CHECK(list(y).size() == list(values).size());
      for (int64_t i = 0; i < y.numel(); ++i)
        CHECK((get(y, i) == get(values, i) || (std::isnan(get(y, i).real()) && std::isnan(get(values, i).real()))));

      const Tensor g = integers(dtype, sizes, 5), sums = empty(x.sizes(), dtype);
      for (int64_t i = 0; i < sums.numel(); ++i) set(sums, i, 0);
      for (int64_t i = 0; i < g.numel(); ++i) {
        const int64_t to = i / out_plane * in_plane + get_int(places, i) - 1;
        set(sums, to, get(sums, to) + get(g, i));
      }
      const Tensor dx = on_threads([&] {
        const Tensor out = empty(x.sizes(), dtype);
        slots::max_pool_backward(out, strided(g), places);
        return out;
      });
      CHECK(distance(dx, sums) == 0);
    }
  }
}

TEST_CASE("the derivative of max pooling refuses positions outside the plane") {
  const Tensor dx = empty({1, 1, 2, 2}, DType::Float32), g = integers(DType::Float32, {1, 1, 1, 1});
  for (const double p : {0.0, 5.0})
    CHECK(error_of([&] {
            slots::max_pool_backward(dx, g, tensor(DType::Int64, {1, 1, 1, 1}, {p}));
          }) == text("max_pool_backward: position ", p, " is outside 1..4"));
}

}  // namespace
}  // namespace facula::test
