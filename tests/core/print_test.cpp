// Printing. The expected texts are PyTorch 1.13's.
#include "core/print.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <clocale>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "core/autograd.h"

namespace facula {
namespace {

constexpr double inf = std::numeric_limits<double>::infinity(), nan = std::numeric_limits<double>::quiet_NaN();

Tensor tensor(DType dtype, const Sizes& sizes, const std::vector<complex128>& values) {
  Tensor x = empty(sizes, dtype);
  for (size_t i = 0; i < values.size(); ++i) {
    const Scalar v = is_complex(dtype) ? Scalar(values[i]) : Scalar(values[i].real());
    const Tensor element = scalar_tensor(v, dtype);
    std::copy_n(element.bytes(), x.item_size(), x.bytes() + static_cast<int64_t>(i) * x.item_size());
  }
  return x;
}
Tensor counted(DType dtype, const Sizes& sizes) {
  std::vector<complex128> values(static_cast<size_t>(numel_of(sizes)));
  for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<double>(i);
  return tensor(dtype, sizes, values);
}

struct Case {
  DType dtype;
  Sizes sizes;
  std::vector<complex128> values;
  const char* text;
};

TEST_CASE("tensors print as in PyTorch") {
  using enum DType;
  const Case cases[] = {
      {Float32, {}, {2.5}, "tensor(2.5000)"},
      {Float32, {}, {-3}, "tensor(-3.)"},
      {Float32, {}, {nan}, "tensor(nan)"},
      {Float32, {}, {-nan}, "tensor(nan)"},
      {Float32, {}, {1e10}, "tensor(1.0000e+10)"},
      {Bool, {}, {1}, "tensor(True)"},
      {Int64, {}, {7}, "tensor(7)"},
      {Complex64, {}, {{1, 2}}, "tensor(1.+2.j)"},
      {Float32, {3}, {1, 2, 3}, "tensor([1., 2., 3.])"},
      {Float32, {3}, {1.5, -2, 3}, "tensor([ 1.5000, -2.0000,  3.0000])"},
      {Float32, {2}, {0, 0}, "tensor([0., 0.])"},
      {Float32, {2}, {-0.0, 1}, "tensor([-0., 1.])"},
      {Float32, {2}, {1e-5, 1}, "tensor([1.0000e-05, 1.0000e+00])"},
      {Float32, {2}, {1000, 1}, "tensor([1000.,    1.])"},
      {Float32, {2}, {1001, 1}, "tensor([1.0010e+03, 1.0000e+00])"},
      {Float32, {2}, {1e8, 1e8}, "tensor([100000000., 100000000.])"},
      {Float32, {2}, {2e8, 2e8}, "tensor([2.0000e+08, 2.0000e+08])"},
      {Float32, {3}, {1, inf, nan}, "tensor([1., inf, nan])"},
      {Float32, {3}, {0.5, -inf, nan}, "tensor([0.5000,   -inf,    nan])"},
      {Int64, {3}, {1, -20, 300}, "tensor([  1, -20, 300])"},
      {Bool, {2}, {1, 0}, "tensor([ True, False])"},
      {UInt8, {2}, {1, 2}, "tensor([1, 2], dtype=torch.uint8)"},
      {Float16, {2}, {0.1, 0.25}, "tensor([0.1000, 0.2500], dtype=torch.float16)"},
      {BFloat16, {2}, {0.1, 0.25}, "tensor([0.1001, 0.2500], dtype=torch.bfloat16)"},
      {Float64, {1}, {0.1}, "tensor([0.1000], dtype=torch.float64)"},
      {Complex64, {2}, {{1, 2}, {-0.5, -1}}, "tensor([ 1.0000+2.j, -0.5000-1.j])"},
      {Complex64, {2}, {{1.5, nan}, {2, -0.0}}, "tensor([1.5000+nanj, 2.0000-0.j])"},
      {Complex128, {1}, {{1, 2}}, "tensor([1.+2.j], dtype=torch.complex128)"},
      {Float32, {0}, {}, "tensor([])"},
      {Float32, {2, 0}, {}, "tensor([], size=(2, 0))"},
      {Bool, {0}, {}, "tensor([], dtype=torch.bool)"},
      {Complex64, {0}, {}, "tensor([], dtype=torch.complex64)"},
      {Int64, {2, 2}, {1, 2, 3, 40}, "tensor([[ 1,  2],\n        [ 3, 40]])"},
      {Float32, {2, 1, 2}, {0, 0, 0, 0}, "tensor([[[0., 0.]],\n\n        [[0., 0.]]])"},
  };
  for (const Case& c : cases) CHECK(to_text(tensor(c.dtype, c.sizes, c.values)) == c.text);
}

TEST_CASE("long rows break where the next element does not fit") {
  CHECK(to_text(counted(DType::Float32, {30})) ==
        "tensor([ 0.,  1.,  2.,  3.,  4.,  5.,  6.,  7.,  8.,  9., 10., 11., 12., 13.,\n"
        "        14., 15., 16., 17., 18., 19., 20., 21., 22., 23., 24., 25., 26., 27.,\n"
        "        28., 29.])");
}

TEST_CASE("large tensors show their edges") {
  CHECK(to_text(counted(DType::Int64, {1001})) == "tensor([   0,    1,    2,  ...,  998,  999, 1000])");
  CHECK(to_text(scalar_tensor(false, DType::Bool).expanded({7, 1000})) ==
        "tensor([[False, False, False,  ..., False, False, False],\n"
        "        [False, False, False,  ..., False, False, False],\n"
        "        [False, False, False,  ..., False, False, False],\n"
        "        ...,\n"
        "        [False, False, False,  ..., False, False, False],\n"
        "        [False, False, False,  ..., False, False, False],\n"
        "        [False, False, False,  ..., False, False, False]])");
}

TEST_CASE("only what is shown is read") {
  const Tensor one = scalar_tensor(1.5, DType::Float32);
  CHECK(to_text(one.expanded({int64_t{1} << 40})) == "tensor([1.5000, 1.5000, 1.5000,  ..., 1.5000, 1.5000, 1.5000])");
  const Sizes forty_twos(40, 2);  // no dimension is long enough to be cut
  CHECK(to_text(one.expanded(forty_twos)).starts_with("tensor(...,\n       size=(2, 2, "));
}

TEST_CASE("strided tensors print what they view") {
  const Tensor x = counted(DType::Int64, {2, 3});
  CHECK(to_text(x.alias({3, 2}, {1, 3}, 0)) == "tensor([[0, 3],\n        [1, 4],\n        [2, 5]])");
  CHECK(to_text(x.alias({2}, {2}, 1)) == "tensor([1, 3])");
}

TEST_CASE("meta tensors have sizes only") {
  CHECK(to_text(empty({2, 3}, DType::Float32, DeviceType::Meta)) == "tensor(..., device='meta', size=(2, 3))");
  CHECK(to_text(empty({6}, DType::Int64, DeviceType::Meta)) ==
        "tensor(..., device='meta', size=(6,), dtype=torch.int64)");
}

TEST_CASE("gradients are mentioned, on a line of their own where the last is full") {
  const Tensor x = tensor(DType::Float32, {2}, {1, 2});
  set_requires_grad(x, true);
  CHECK(to_text(x) == "tensor([1., 2.], requires_grad=True)");
  autograd_meta(x).is_parameter = true;
  CHECK(to_text(x) == "Parameter containing:\ntensor([1., 2.], requires_grad=True)");

  const Tensor wide = counted(DType::Float32, {14});
  set_requires_grad(wide, true);
  CHECK(to_text(wide) ==
        "tensor([ 0.,  1.,  2.,  3.,  4.,  5.,  6.,  7.,  8.,  9., 10., 11., 12., 13.],\n"
        "       requires_grad=True)");
}

TEST_CASE("the default dtype is not mentioned") {
  set_default_dtype(DType::Float64);
  CHECK(to_text(tensor(DType::Float64, {1}, {1})) == "tensor([1.])");
  CHECK(to_text(tensor(DType::Complex128, {1}, {1})) == "tensor([1.+0.j])");
  CHECK(to_text(tensor(DType::Float32, {1}, {1})) == "tensor([1.], dtype=torch.float32)");
  set_default_dtype(DType::Float32);
}

TEST_CASE("print options") {
  const Tensor x = tensor(DType::Float32, {2}, {1.12345, 20});
  const Tensor n = counted(DType::Int64, {10});
  auto with = [](const PrintOptions& options, const Tensor& t) {
    set_print_options(options);
    std::string s = to_text(t);
    set_print_options({});
    return s;
  };
  PrintOptions options;
  options.precision = 2;
  CHECK(with(options, x) == "tensor([ 1.12, 20.00])");
  options = {};
  options.sci_mode = true;
  CHECK(with(options, x) == "tensor([1.1235e+00, 2.0000e+01])");
  options = {};
  options.threshold = 5;
  CHECK(with(options, n) == "tensor([0, 1, 2,  ..., 7, 8, 9])");
  options.edgeitems = 1;
  CHECK(with(options, n) == "tensor([0,  ..., 9])");
  options.edgeitems = 0;
  CHECK(with(options, n) == "tensor([ ...])");
  options = {};
  options.linewidth = 20;
  CHECK(with(options, n) == "tensor([0, 1, 2, 3,\n        4, 5, 6, 7,\n        8, 9])");
  options.linewidth = 1;
  CHECK(with(options, tensor(DType::Int64, {2}, {0, 1})) == "tensor([0,\n        1])");
  options.linewidth = 0;
  CHECK_THROWS_WITH(set_print_options(options), "set_printoptions: linewidth must be at least 1, got 0");
  options = {};
  options.precision = 101;
  CHECK_THROWS_WITH(set_print_options(options), "set_printoptions: precision must lie in 0..100, got 101");
}

TEST_CASE("the host's locale does not change numbers") {
  const std::string before = std::setlocale(LC_NUMERIC, nullptr);
  std::setlocale(LC_NUMERIC, "de_DE.UTF-8");
  CHECK(to_text(scalar_tensor(1.5, DType::Float32)) == "tensor(1.5000)");
  std::setlocale(LC_NUMERIC, before.c_str());
}

}  // namespace
}  // namespace facula
