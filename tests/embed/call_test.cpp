// Calls in both directions, values, references.
#include <stdexcept>

#include "tests/embed/host.h"

using namespace facula::test;

namespace {

facula_status add(facula_state* S, const facula_value* in, size_t n_in, facula_value* out, size_t* n_out, void* user) {
  if (n_in != 2 || in[0].type != FACULA_NUMBER || in[1].type != FACULA_NUMBER)
    return facula_fail(S, "add: expected two numbers");
  ++*static_cast<int*>(user);
  out[0] = number(in[0].as.number + in[1].as.number);
  *n_out = 1;
  return FACULA_OK;
}

void count_down(void* user) { --*static_cast<int*>(user); }

}  // namespace

TEST_CASE("values go to Lua and come back") {
  const Opened S;
  S.good("function echo(...) return ... end");
  facula_value in[5] = {number(1.5), string("text"), {FACULA_BOOLEAN, {}}, {FACULA_NIL, {}}, {FACULA_INTEGER, {}}};
  in[2].as.boolean = 1;
  in[4].as.integer = INT64_MAX;
  facula_value out[6];
  REQUIRE_MESSAGE(facula_call_values(S, "echo", in, 5, out, 6) == FACULA_OK, S.message());
  CHECK(out[0].as.number == 1.5);
  CHECK(std::string(out[1].as.string.bytes) == "text");
  CHECK(out[2].type == FACULA_BOOLEAN);
  CHECK(out[2].as.boolean == 1);
  CHECK(out[3].type == FACULA_NIL);
  CHECK(out[4].type == FACULA_INTEGER);
  CHECK(out[4].as.integer == INT64_MAX);
  CHECK(out[5].type == FACULA_NIL);
  for (facula_value& v : out) facula_value_release(&v);
  for (facula_value& v : out) facula_value_release(&v);
}

TEST_CASE("operators, paths and modules can be called by name") {
  const Opened S;
  S.good("nets = {small = torch.nn.Linear(3, 2)}");
  float x[6] = {1, 2, 3, 4, 5, 6};
  const int64_t sizes[2] = {2, 3};
  const facula_view view = {sizeof view, x, FACULA_FLOAT32, 2, sizes, nullptr};
  facula_tensor *t = nullptr, *y = nullptr;
  REQUIRE(facula_tensor_wrap(S, &view, nullptr, nullptr, &t) == FACULA_OK);
  REQUIRE(facula_call(S, "nets.small", &t, 1, &y, 1) == FACULA_OK);
  CHECK(facula_tensor_size(y, 0) == 2);
  CHECK(facula_tensor_size(y, 1) == 2);
  facula_tensor_release(y);
  REQUIRE(facula_call(S, "nn.functional.relu", &t, 1, &y, 1) == FACULA_OK);
  facula_tensor_release(y);
  const facula_value in[2] = {tensor(t), number(1)};  // Lua's first dimension
  facula_value out;
  REQUIRE(facula_call_values(S, "sum", in, 2, &out, 1) == FACULA_OK);
  CHECK(facula_tensor_size(out.as.tensor, 0) == 3);
  CHECK(*static_cast<float*>(facula_tensor_data(out.as.tensor)) == 5);
  facula_value_release(&out);
  facula_tensor_release(t);
}

TEST_CASE("calls that cannot be made say why") {
  const Opened S;
  S.good("function f() return 1 end");
  facula_tensor* out = reinterpret_cast<facula_tensor*>(1);
  CHECK(facula_call(S, "no.such", nullptr, 0, &out, 1) == FACULA_ERROR);
  CHECK(out == nullptr);
  CHECK(S.message() == "facula_call: there is no global and no operator 'no.such'");
  CHECK(facula_call(S, "f", nullptr, 0, &out, 1) == FACULA_ERROR);
  CHECK(S.message() == "facula_call: result 0 of 'f' is a number, expected a tensor");
  CHECK(facula_call(S, nullptr, nullptr, 0, nullptr, 0) == FACULA_INVALID);
  CHECK(facula_call(S, "f", nullptr, 1, nullptr, 0) == FACULA_INVALID);
  facula_tensor* const nothing = nullptr;
  CHECK(facula_call(S, "f", &nothing, 1, nullptr, 0) == FACULA_INVALID);
  CHECK(S.message() == "facula_call: in[0] is NULL, not a tensor");
  facula_value wrong = {static_cast<facula_type>(99), {}};
  CHECK(facula_call_values(S, "f", &wrong, 1, nullptr, 0) == FACULA_INVALID);
  CHECK(facula_call(S, "torch.ones.x", nullptr, 0, nullptr, 0) == FACULA_ERROR);
}

TEST_CASE("references hold values of one state") {
  const Opened S, other;
  S.good("t = {} local n = 0 function t.step() n = n + 1 return n end");
  facula_value step;
  REQUIRE(facula_get(S, "t.step", &step) == FACULA_OK);
  CHECK(step.type == FACULA_REFERENCE);
  S.good("t = nil collectgarbage()");
  facula_value n;
  REQUIRE(facula_call_reference(S, step.as.reference, nullptr, 0, &n, 1) == FACULA_OK);
  CHECK(n.as.number == 1);
  CHECK(facula_call_reference(other, step.as.reference, nullptr, 0, &n, 1) == FACULA_INVALID);
  CHECK(facula_set(S, "made.on.the.way", &step) == FACULA_OK);
  S.good("assert(made.on.the.way() == 2)");

  facula_reference* kept = nullptr;
  const facula_value text = string("kept");
  REQUIRE(facula_reference_new(S, &text, &kept) == FACULA_OK);
  facula_value back;
  REQUIRE(facula_reference_get(S, kept, &back) == FACULA_OK);
  CHECK(std::string(back.as.string.bytes) == "kept");
  facula_value_release(&back);
  facula_reference_release(kept);
  facula_reference_release(kept);
  CHECK(facula_reference_get(S, kept, &back) == FACULA_INVALID);
  facula_value_release(&step);
}

TEST_CASE("a reference may be released after its state was closed") {
  facula_reference* compiled = nullptr;
  {
    const Opened S;
    REQUIRE(facula_compile(S, "return ...", 10, "=test", &compiled) == FACULA_OK);
    const facula_value in = number(4);
    facula_value out;
    REQUIRE(facula_call_reference(S, compiled, &in, 1, &out, 1) == FACULA_OK);
    CHECK(out.as.number == 4);
  }
  facula_reference_release(compiled);
}

TEST_CASE("scripts call functions of the host") {
  int calls = 10;
  {
    const Opened S;
    REQUIRE(facula_register(S, "host.add", add, &calls, count_down) == FACULA_OK);
    CHECK(S.number("host.add(2, 3)") == 5);
    CHECK(S.number("coroutine.wrap(function() return host.add(1, 1) end)()") == 2);
    CHECK(calls == 12);
    CHECK(S.run("host.add(1)") == FACULA_ERROR);
    CHECK(S.message() == "test:1: add: expected two numbers");
    CHECK(facula_register(S, "host.add.deeper", add, &calls, count_down) == FACULA_ERROR);
    CHECK(facula_register(S, "x", nullptr, nullptr, nullptr) == FACULA_INVALID);
    CHECK(calls == 12);
  }
  CHECK(calls == 11);
}

TEST_CASE("a function of the host may call back, keep tensors and hand arguments on") {
  const Opened S;
  static facula_tensor* kept;
  kept = nullptr;
  const facula_function twice = [](facula_state* L, const facula_value* in, size_t n_in, facula_value* out,
                                   size_t* n_out, void*) {
    if (n_in != 1 || in[0].type != FACULA_TENSOR) return facula_fail(L, "twice: expected a tensor");
    kept = facula_tensor_retain(in[0].as.tensor);
    const facula_value pair[2] = {in[0], in[0]};
    const facula_status status = facula_call_values(L, "add", pair, 2, &out[0], 1);
    out[1] = in[0];
    *n_out = 2;
    return status;
  };
  REQUIRE(facula_register(S, "twice", twice, nullptr, nullptr) == FACULA_OK);
  S.good("local y, x = twice(torch.ones(3)) assert(y:sum():item() == 6 and x:sum():item() == 3)");
  S.good("collectgarbage()");
  CHECK(facula_tensor_numel(kept) == 3);
  facula_tensor_release(kept);
}

TEST_CASE("what a function of the host throws is an error in the script") {
  const Opened S;
  const facula_function known = [](facula_state*, const facula_value*, size_t, facula_value*, size_t*,
                                   void*) -> facula_status { throw std::runtime_error("no camera"); };
  const facula_function unknown = [](facula_state*, const facula_value*, size_t, facula_value*, size_t*,
                                     void*) -> facula_status { throw 7; };
  const facula_function closes = [](facula_state* L, const facula_value*, size_t, facula_value*, size_t*, void*) {
    facula_close(L);
    return FACULA_OK;
  };
  const facula_function greedy = [](facula_state*, const facula_value*, size_t, facula_value*, size_t* n_out, void*) {
    *n_out = FACULA_MAX_RESULTS + 1;
    return FACULA_OK;
  };
  REQUIRE(facula_register(S, "known", known, nullptr, nullptr) == FACULA_OK);
  REQUIRE(facula_register(S, "unknown", unknown, nullptr, nullptr) == FACULA_OK);
  REQUIRE(facula_register(S, "closes", closes, nullptr, nullptr) == FACULA_OK);
  REQUIRE(facula_register(S, "greedy", greedy, nullptr, nullptr) == FACULA_OK);
  CHECK(S.run("known()") == FACULA_ERROR);
  CHECK(S.message() == "test:1: known: the host function threw: no camera");
  CHECK(S.run("unknown()") == FACULA_ERROR);
  CHECK(S.message() == "test:1: unknown: the host function threw an exception");
  S.good("closes()");
  CHECK(S.run("greedy()") == FACULA_ERROR);
  S.good("assert(not pcall(known))");
}
