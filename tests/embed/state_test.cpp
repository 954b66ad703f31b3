// States: opening, running, failing, writing, closing.
#include <csetjmp>
#include <cstring>

#include "tests/embed/host.h"

using namespace facula::test;

TEST_CASE("the library says which one it is") {
  CHECK(facula_abi_version() == FACULA_ABI_VERSION);
  CHECK(std::strchr(facula_version(), '.') != nullptr);
}

TEST_CASE("code runs, and globals stay") {
  const Opened S;
  CHECK(std::string(facula_message(S)) == "");
  S.good("x = torch.arange(5):sum():item()");
  CHECK(S.number("x") == 10);
  CHECK(facula_run_buffer(S, "y = 'a\0b'", 9, "=test") == FACULA_OK);
  CHECK(S.number("#y") == 3);
}

TEST_CASE("a profile ends with the state that began it") {
  {
    const Opened S;
    S.good("torch.profiler.start()");
  }
  const Opened S;
  S.good("torch.profiler.start() torch.ones(2):exp() p = torch.profiler.stop()");
  CHECK(S.number("#p:events()") == 2);
}

TEST_CASE("errors have a message and a traceback, and the state goes on") {
  const Opened S;
  CHECK(S.run("local function inner() error('no') end\nlocal function outer() inner() end\nouter()") == FACULA_ERROR);
  CHECK(S.message() == "test:1: no");
  CHECK(S.traceback() == "\n\ttest:1: in 'inner'\n\ttest:2: in 'outer'\n\ttest:3: in main chunk");
  CHECK(S.run("torch.ones(2):sum(7)") == FACULA_ERROR);
  CHECK(S.message() == "test:1: sum: dim 7 is out of range for a tensor with 1 dimension (1..1 or -1..-1)");
  CHECK(S.run("x = = 1") == FACULA_ERROR);
  CHECK(S.message() == "test:1: unexpected symbol near '='");
  CHECK(S.traceback() == "");
  CHECK(S.run("error({})") == FACULA_ERROR);
  CHECK(S.message() == "(the error is a table value)");
  CHECK(S.run("error(setmetatable({}, {__tostring = function() return 'mine' end}))") == FACULA_ERROR);
  CHECK(S.message() == "mine");
  CHECK(S.run("error()") == FACULA_ERROR);
  CHECK(S.message() == "(the error is a nil value)");
  CHECK(S.run("local function f() return f() + 1 end f()") == FACULA_ERROR);
  CHECK(facula_run_file(S, "/no/such/file.lua") == FACULA_ERROR);
  CHECK(S.message() == "cannot open /no/such/file.lua: No such file or directory");
  S.good("assert(torch.ones(2):sum():item() == 2)");
}

TEST_CASE("a wrong argument is refused and says which") {
  const Opened S;
  CHECK(facula_run_string(nullptr, "x = 1", nullptr) == FACULA_INVALID);
  CHECK(std::string(facula_message(nullptr)) == "facula_run_string: the state is NULL");
  CHECK(facula_run_string(S, nullptr, nullptr) == FACULA_INVALID);
  CHECK(S.message() == "facula_run_string: code is NULL");
  CHECK(facula_run_file(S, nullptr) == FACULA_INVALID);
  CHECK(facula_open(nullptr, nullptr) == FACULA_INVALID);
  CHECK(facula_interrupt(nullptr) == FACULA_INVALID);
  facula_close(nullptr);

  float x[1] = {};
  facula_tensor* t = wrapped(S, x, 1);
  CHECK(facula_run_string(reinterpret_cast<facula_state*>(t), "x = 1", nullptr) == FACULA_INVALID);
  CHECK(std::string(facula_message(nullptr)) == "facula_run_string: the first argument is no open state");
  facula_close(reinterpret_cast<facula_state*>(t));
  facula_tensor_release(t);
}

TEST_CASE("a closed state is no state") {
  facula_state* S = nullptr;
  REQUIRE(facula_open(nullptr, &S) == FACULA_OK);
  facula_close(S);
  facula_close(S);
  CHECK(facula_run_string(S, "x = 1", nullptr) == FACULA_INVALID);
  CHECK(facula_interrupt(S) == FACULA_INVALID);
  CHECK(std::string(facula_traceback(S)) == "");
}

TEST_CASE("options are checked") {
  facula_state* S = nullptr;
  facula_options options = {};
  CHECK(facula_open(&options, &S) == FACULA_INVALID);
  CHECK(S == nullptr);
  CHECK(std::string(facula_message(nullptr)).find("options.size is 0") != std::string::npos);
  options.size = sizeof options;
  options.threads = -1;
  CHECK(facula_open(&options, &S) == FACULA_INVALID);

  // A host of a later version: what this one does not know must be unset.
  struct {
    facula_options known;
    int unknown;
  } later = {};
  later.known.size = sizeof later;
  CHECK(facula_open(&later.known, &S) == FACULA_OK);
  facula_close(S);
  later.unknown = 1;
  CHECK(facula_open(&later.known, &S) == FACULA_INVALID);
}

TEST_CASE("what scripts write goes to the host") {
  struct Texts {
    std::string output, error;
  } texts;
  facula_options options = {};
  options.user = &texts;
  options.output = [](void* user, const char* s, size_t n) { static_cast<Texts*>(user)->output.append(s, n); };
  options.error = [](void* user, const char* s, size_t n) { static_cast<Texts*>(user)->error.append(s, n); };
  const Opened S(options);
  S.good("print('a', 1, nil) io.write('b', 2, '\\n') io.stdout:write('c\\n'):write('d') io.stderr:write('e')");
  CHECK(texts.output == "a\t1\tnil\nb2\nc\nd");
  CHECK(texts.error == "e");
  S.good("assert(io.type(io.stdout) == 'file' and io.output() == io.stdout and io.type(7) == nil)");
  CHECK(S.run("io.write({})") == FACULA_ERROR);
}

TEST_CASE("a host's writer that throws is an error in the script") {
  facula_options options = {};
  options.output = [](void*, const char*, size_t) { throw 7; };
  const Opened S(options);
  CHECK(S.run("print('a')") == FACULA_ERROR);
  CHECK(S.message().find("the host's function for output threw an exception") != std::string::npos);
}

TEST_CASE("each state has its own random numbers and defaults") {
  facula_options options = {};
  options.seeded = 1;
  options.seed = 5;
  const Opened a(options), b(options);
  a.good("torch.set_default_dtype(torch.float64) torch.set_printoptions({precision = 2}) x = torch.rand(3)");
  b.good("x = torch.rand(3):to(torch.float64)");
  b.good("assert(torch.get_default_dtype() == torch.float32)");
  b.good("assert(tostring(torch.tensor{1 / 3}) == 'tensor([0.3333])')");
  a.good(
      "assert(tostring(torch.tensor{1 / 3}) == 'tensor([0.33], dtype=torch.float64)' or "
      "tostring(torch.tensor{1 / 3}) == 'tensor([0.33])')");
  a.good("torch.set_grad_enabled(false)");
  b.good("assert(torch.is_grad_enabled())");
  a.good("assert(not torch.is_grad_enabled())");
  a.good("torch.manual_seed(1) u = torch.rand(1):item()");
  b.good("torch.manual_seed(2)");
  a.good("torch.manual_seed(1) assert(torch.rand(1):item() == u)");
}

TEST_CASE("a state that a host function left by longjmp can be closed") {
  static std::jmp_buf out;
  facula_state* S = nullptr;
  REQUIRE(facula_open(nullptr, &S) == FACULA_OK);
  const facula_function jump = [](facula_state*, const facula_value*, size_t, facula_value*, size_t*,
                                  void*) -> facula_status { std::longjmp(out, 1); };
  REQUIRE(facula_register(S, "jump", jump, nullptr, nullptr) == FACULA_OK);
  if (setjmp(out) == 0) facula_run_string(S, "jump()", "=test");
  CHECK(facula_run_string(S, "x = 1", nullptr) == FACULA_INVALID);
  CHECK(std::string(facula_message(S)).find("longjmp") != std::string::npos);
  facula_close(S);
  CHECK(facula_run_string(S, "x = 1", nullptr) == FACULA_INVALID);
  const Opened next;
  next.good("assert(torch.ones(2):sum():item() == 2)");
}
