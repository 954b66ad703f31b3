// Sandboxes and limits of states that a host opens.
#include <string>

#include "tests/embed/host.h"

using namespace facula::test;

template <class T, class V>
static facula_options with(T facula_options::*field, V value) {
  facula_options options = {};
  options.*field = static_cast<T>(value);
  return options;
}

static bool says(const Opened& S, const char* text) { return S.message().find(text) != std::string::npos; }

TEST_CASE("a time limit ends a script, after which the state goes on") {
  const Opened S(with(&facula_options::timeout, 0.1));
  for (const char* code : {"while true do end", "while true do pcall(function() while true do end end) end",
                           "coroutine.wrap(function() while true do end end)()",
                           "local x = torch.randn(300, 300) while true do x = x:mm(x) end"}) {
    CHECK(S.run(code) == FACULA_LIMIT);
    CHECK(says(S, "the time limit of 0.1 seconds is exceeded"));
    CHECK(S.run("assert(torch.ones(3):sum():item() == 3)") == FACULA_OK);
  }
}

TEST_CASE("a limit of instructions holds for each outermost call") {
  const Opened S(with(&facula_options::max_instructions, 1000000));
  CHECK(S.run("for _ = 1, 1e8 do end") == FACULA_LIMIT);
  CHECK(says(S, "the limit of 1000000 instructions is exceeded"));
  for (int i = 0; i < 20; ++i) CHECK(S.run("for _ = 1, 1e5 do end") == FACULA_OK);
}

TEST_CASE("a memory limit is an error in the script, for strings and for tensors") {
  const Opened S(with(&facula_options::max_memory, size_t{64} << 20));
  CHECK(S.run("local s = ('x'):rep(1e9)") == FACULA_LIMIT);
  CHECK(S.run("local x = torch.zeros(2^30)") == FACULA_LIMIT);
  CHECK(S.run("local t = {} while true do t = {t, t} end") == FACULA_LIMIT);
  CHECK(S.run("assert(not pcall(torch.zeros, 2^30) and torch.ones(3):sum():item() == 3)") == FACULA_OK);
}

TEST_CASE("a limit of one state leaves another alone") {
  const Opened narrow(with(&facula_options::max_memory, size_t{32} << 20));
  const Opened wide;
  CHECK(narrow.run("local x = torch.zeros(2^24)") == FACULA_LIMIT);
  CHECK(wide.run("x = torch.zeros(2^24)") == FACULA_OK);
  CHECK(wide.run("x = nil collectgarbage() collectgarbage()") == FACULA_OK);
}

TEST_CASE("a sandbox has no files, programs or bytecode") {
  const Opened S(with(&facula_options::sandbox, 1));
  CHECK(S.run("assert(io == nil and os.execute == nil and debug == nil and not pcall(require, 'ffi'))") == FACULA_OK);
  CHECK(S.run("torch.load('/etc/passwd')") == FACULA_ERROR);
  CHECK(says(S, "outside the folders that this script may use"));
  CHECK(S.run("\x1bLJ\x02") == FACULA_ERROR);
}

TEST_CASE("folders are for a sandbox") {
  const char* const folder = "/tmp";
  facula_options options = {};
  options.size = sizeof options;
  options.folders = &folder;
  options.folder_count = 1;
  facula_state* S = nullptr;
  CHECK(facula_open(&options, &S) == FACULA_ERROR);
  CHECK(S == nullptr);
  CHECK(std::string(facula_message(nullptr)).find("folders are for a sandbox") != std::string::npos);
}
