// Tensors of the host: shared memory, lifetimes, DLPack.
#include "facula_dlpack.h"
#include "tests/embed/host.h"

using namespace facula::test;

static void count(void* user) { ++*static_cast<int*>(user); }

TEST_CASE("both sides see what the other writes") {
  const Opened S;
  float x[4] = {1, 2, 3, 4};
  facula_tensor* t = wrapped(S, x, 4);
  const facula_value v = tensor(t);
  REQUIRE(facula_set(S, "x", &v) == FACULA_OK);
  CHECK(S.number("x:sum():item()") == 10);
  x[0] = 100;
  CHECK(S.number("x[1]:item()") == 100);
  S.good("x:mul_(2)");
  CHECK(x[3] == 8);
  CHECK(facula_tensor_data(t) == x);
  facula_tensor_release(t);
}

TEST_CASE("strides of the host are kept") {
  const Opened S;
  int32_t x[6] = {1, 2, 3, 4, 5, 6};
  const int64_t sizes[2] = {3, 2}, strides[2] = {1, 3};  // the transpose
  const facula_view view = {sizeof view, x, FACULA_INT32, 2, sizes, strides};
  facula_tensor* t = nullptr;
  REQUIRE(facula_tensor_wrap(S, &view, nullptr, nullptr, &t) == FACULA_OK);
  CHECK(facula_tensor_stride(t, 1) == 3);
  CHECK(facula_tensor_dtype(t) == FACULA_INT32);
  CHECK(facula_tensor_dim(t) == 2);
  CHECK(facula_tensor_numel(t) == 6);
  CHECK(facula_tensor_bytes(t) == 24);
  CHECK(facula_tensor_device(t, nullptr) == FACULA_CPU);
  CHECK(facula_tensor_size(t, 2) == -1);
  int32_t rows[6];
  REQUIRE(facula_tensor_read(S, t, rows, sizeof rows) == FACULA_OK);
  const int32_t expected[6] = {1, 4, 2, 5, 3, 6};
  for (int i = 0; i < 6; ++i) CHECK(rows[i] == expected[i]);
  CHECK(facula_tensor_read(S, t, rows, 23) == FACULA_INVALID);
  CHECK(S.message() == "facula_tensor_read: the buffer has 23 bytes, the tensor (3, 2) of int32 24");
  const int32_t fresh[6] = {10, 20, 30, 40, 50, 60};
  REQUIRE(facula_tensor_write(S, t, fresh, sizeof fresh) == FACULA_OK);
  CHECK(x[1] == 30);
  facula_view seen = {sizeof seen, nullptr, FACULA_BOOL, 0, nullptr, nullptr};
  REQUIRE(facula_tensor_view(t, &seen) == FACULA_OK);
  CHECK(seen.data == x);
  CHECK(seen.sizes[0] == 3);
  CHECK(seen.strides[1] == 3);
  facula_tensor_release(t);
}

TEST_CASE("a copy is a tensor of its own, and zeros without data") {
  const Opened S;
  double x[2] = {1, 2};
  const int64_t n = 2;
  facula_view view = {sizeof view, x, FACULA_FLOAT64, 1, &n, nullptr};
  facula_tensor* t = nullptr;
  REQUIRE(facula_tensor_copy(S, &view, &t) == FACULA_OK);
  x[0] = 7;
  CHECK(static_cast<double*>(facula_tensor_data(t))[0] == 1);
  facula_tensor_release(t);
  view.data = nullptr;
  REQUIRE(facula_tensor_copy(S, &view, &t) == FACULA_OK);
  CHECK(static_cast<double*>(facula_tensor_data(t))[1] == 0);
  facula_tensor_release(t);
}

TEST_CASE("the host is told once when its memory is free, also after the state is gone") {
  int told = 0;
  float x[2] = {1, 2};
  const int64_t n = 2;
  const facula_view view = {sizeof view, x, FACULA_FLOAT32, 1, &n, nullptr};
  facula_tensor *t = nullptr, *view_of_t = nullptr;
  {
    const Opened S;
    REQUIRE(facula_tensor_wrap(S, &view, count, &told, &t) == FACULA_OK);
    const facula_value v = tensor(t);
    REQUIRE(facula_set(S, "x", &v) == FACULA_OK);
    REQUIRE(facula_call(S, "t", &t, 1, &view_of_t, 1) == FACULA_OK);
    facula_tensor_release(t);
    S.good("x = nil collectgarbage()");
    CHECK(told == 0);
  }
  CHECK(told == 0);
  CHECK(static_cast<float*>(facula_tensor_data(view_of_t))[1] == 2);
  facula_tensor_release(view_of_t);
  CHECK(told == 1);
}

TEST_CASE("memory of booleans with other bytes than 0 and 1 is refused") {
  const Opened S;
  unsigned char bytes[3] = {0, 1, 2};
  int64_t size = 3;
  const facula_view view = {sizeof view, bytes, FACULA_BOOL, 1, &size, nullptr};
  int told = 0;
  facula_tensor* t = nullptr;
  CHECK(facula_tensor_wrap(S, &view, count, &told, &t) != FACULA_OK);
  CHECK(S.message() == "facula_tensor_wrap: the booleans have other values than 0 and 1");
  CHECK(facula_tensor_copy(S, &view, &t) != FACULA_OK);
  CHECK(told == 0);
  bytes[2] = 1;
  REQUIRE(facula_tensor_copy(S, &view, &t) == FACULA_OK);
  bytes[0] = 255;
  CHECK(facula_tensor_write(S, t, bytes, sizeof bytes) != FACULA_OK);
  facula_tensor_release(t);
}

TEST_CASE("views that cannot be are refused, and their memory stays the host's") {
  const Opened S;
  int told = 0;
  float x[8] = {};
  int64_t sizes[2] = {2, 2}, strides[2] = {2, 1};
  facula_view view = {sizeof view, x, FACULA_FLOAT32, 2, sizes, strides};
  facula_tensor* t = nullptr;
  const auto refused = [&] { return facula_tensor_wrap(S, &view, count, &told, &t) != FACULA_OK && t == nullptr; };
  CHECK(facula_tensor_wrap(S, nullptr, count, &told, &t) == FACULA_INVALID);
  CHECK(facula_tensor_wrap(S, &view, count, &told, nullptr) == FACULA_INVALID);
  view.size = 8;
  CHECK(refused());
  view.size = sizeof view;
  view.dtype = static_cast<facula_dtype>(12);
  CHECK(refused());
  view.dtype = FACULA_FLOAT32;
  view.dim = 65;
  CHECK(refused());
  view.dim = 2;
  view.sizes = nullptr;
  CHECK(refused());
  view.sizes = sizes;
  view.data = nullptr;
  CHECK(refused());
  view.data = reinterpret_cast<char*>(x) + 1;
  CHECK(refused());
  CHECK(S.message().find("not aligned") != std::string::npos);
  view.data = x;
  sizes[0] = -1;
  CHECK(refused());
  sizes[0] = int64_t{1} << 62;
  CHECK(refused());
  sizes[0] = 2;
  strides[0] = -2;
  CHECK(refused());
  strides[0] = INT64_MAX;
  sizes[0] = 3;
  CHECK(refused());
  CHECK(told == 0);
}

TEST_CASE("handles that are no tensors have no properties") {
  const Opened S;
  float x[1] = {};
  facula_tensor* t = wrapped(S, x, 1);
  facula_tensor_release(t);
  facula_tensor_release(t);
  for (const facula_tensor* wrong : {static_cast<facula_tensor*>(nullptr), t}) {
    CHECK(facula_tensor_data(wrong) == nullptr);
    CHECK(facula_tensor_dtype(wrong) == -1);
    CHECK(facula_tensor_dim(wrong) == -1);
    CHECK(facula_tensor_size(wrong, 0) == -1);
    CHECK(facula_tensor_numel(wrong) == -1);
    CHECK(facula_tensor_bytes(wrong) == -1);
    CHECK(facula_tensor_device(wrong, nullptr) == -1);
    CHECK(facula_tensor_retain(wrong) == nullptr);
    facula_view seen = {sizeof seen, nullptr, FACULA_BOOL, 0, nullptr, nullptr};
    CHECK(facula_tensor_view(wrong, &seen) == FACULA_INVALID);
    CHECK(facula_tensor_read(S, wrong, x, sizeof x) == FACULA_INVALID);
    DLManagedTensor* out = nullptr;
    CHECK(facula_tensor_to_dlpack(S, wrong, &out) == FACULA_INVALID);
  }
  facula_tensor* out = nullptr;
  CHECK(facula_tensor_from_dlpack(S, nullptr, &out) == FACULA_INVALID);
}

TEST_CASE("a tensor goes out by DLPack and outlives its state") {
  DLManagedTensor* managed = nullptr;
  {
    const Opened S;
    S.good("x = torch.arange(6):reshape(2, 3):t()");
    facula_value x;
    REQUIRE(facula_get(S, "x", &x) == FACULA_OK);
    REQUIRE(facula_tensor_to_dlpack(S, x.as.tensor, &managed) == FACULA_OK);
    facula_value_release(&x);
    S.good("meta = torch.empty(2, {device = 'meta'}) learnt = torch.ones(2, {requires_grad = true})");
    for (const char* name : {"meta", "learnt"}) {
      DLManagedTensor* none = nullptr;
      REQUIRE(facula_get(S, name, &x) == FACULA_OK);
      CHECK(facula_tensor_to_dlpack(S, x.as.tensor, &none) == FACULA_ERROR);
      CHECK(none == nullptr);
      facula_value_release(&x);
    }
  }
  const DLTensor& d = managed->dl_tensor;
  CHECK(d.ndim == 2);
  CHECK(d.shape[0] == 3);
  CHECK(d.strides[0] == 1);
  CHECK(d.strides[1] == 3);
  CHECK(d.dtype.code == kDLInt);
  CHECK(d.dtype.bits == 64);
  CHECK(d.device.device_type == kDLCPU);
  CHECK(static_cast<int64_t*>(d.data)[4] == 4);
  managed->deleter(managed);
}

TEST_CASE("memory comes in by DLPack, and is given back once") {
  float x[4] = {1, 2, 3, 4};
  int64_t shape[1] = {3};
  int told = 0;
  DLManagedTensor managed = {};
  managed.dl_tensor = {x, {kDLCPU, 0}, 1, {kDLFloat, 32, 1}, shape, nullptr, sizeof(float)};
  managed.manager_ctx = &told;
  managed.deleter = [](DLManagedTensor* self) { ++*static_cast<int*>(self->manager_ctx); };
  facula_tensor* t = nullptr;
  {
    const Opened S;
    managed.dl_tensor.dtype.lanes = 4;
    CHECK(facula_tensor_from_dlpack(S, &managed, &t) == FACULA_ERROR);
    managed.dl_tensor.dtype.lanes = 1;
    managed.dl_tensor.device.device_type = static_cast<DLDeviceType>(7);
    CHECK(facula_tensor_from_dlpack(S, &managed, &t) == FACULA_ERROR);
    managed.dl_tensor.device.device_type = kDLCPU;
    managed.dl_tensor.byte_offset = 1;
    CHECK(facula_tensor_from_dlpack(S, &managed, &t) == FACULA_ERROR);
    managed.dl_tensor.byte_offset = sizeof(float);
    CHECK(told == 0);
    REQUIRE(facula_tensor_from_dlpack(S, &managed, &t) == FACULA_OK);
    const facula_value v = tensor(t);
    REQUIRE(facula_set(S, "x", &v) == FACULA_OK);
    S.good("x:mul_(10)");
    CHECK(x[1] == 20);
    CHECK(x[0] == 1);
  }
  CHECK(told == 0);
  facula_tensor_release(t);
  CHECK(told == 1);
}
