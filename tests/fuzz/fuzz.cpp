// A reader under libFuzzer. FACULA_FUZZ in the environment names it: one of tests/lua/readers.lua, which get files, or
// `texts`, which are read by texts.lua in a sandbox. A value and an error are answers, of a file's reader an error that
// names the file; crashes, hangs, other errors, and more memory than libFuzzer allows are findings.
//
// Most readers are written in Lua, so lines of Lua count as coverage, too; nothing is compiled, for hooks to see them.
#include <sys/mman.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>

#include "checksums.h"
#include "interp/host.h"

extern "C" {
__attribute__((section("__libfuzzer_extra_counters"))) uint8_t facula_fuzz_lines[1 << 14];
int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);
}

namespace {

// A file in memory that is filled anew for every input.
class Input {
 public:
  Input() : descriptor_(memfd_create("input", MFD_CLOEXEC)) {}
  std::string path() const { return "/proc/self/fd/" + std::to_string(descriptor_); }
  void fill(const std::string& bytes) const {
    if (ftruncate(descriptor_, 0) != 0 ||
        pwrite(descriptor_, bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size()))
      std::abort();
  }

 private:
  int descriptor_;
};

// Steps from line to line, as libFuzzer counts steps from block to block.
void count_line(lua_State* L, lua_Debug* at) {
  static size_t last = 0;
  lua_getinfo(L, "S", at);
  const size_t line = (reinterpret_cast<size_t>(at->source) >> 4) * 31 + static_cast<size_t>(at->currentline);
  ++facula_fuzz_lines[(line ^ last) % sizeof facula_fuzz_lines];
  last = line * 3;
}

[[noreturn]] void fail(facula_state* state) {
  std::fprintf(stderr, "%s\n%s\n", facula_message(state), facula_traceback(state));
  std::abort();
}

void run(facula_state* state, const std::string& code) {
  const facula_status status = facula_run_string(state, code.c_str(), "=fuzz");
  if (status != FACULA_OK && status != FACULA_LIMIT) fail(state);
}

constexpr const char* kReadTexts = "read = require('texts').read";
constexpr const char* kReadFiles = R"(
  jit.off()
  package.path = tests .. "/lua/?.lua;" .. package.path
  local reader = assert(require("readers")[name], "there is no reader of that name")
  function read(path)
    local good, problem = pcall(reader.read, path)
    if good then return end
    problem = tostring(problem)
    local is_answer = problem:find(path, 1, true) and not problem:find "^[^:]*:%d+: attempt to "
    if not is_answer then error("no answer but: " .. problem, 0) end
  end)";

class Reader {
 public:
  Reader() : name_(std::getenv("FACULA_FUZZ") ? std::getenv("FACULA_FUZZ") : "") {
    const char* const folder = FACULA_TESTS "/fuzz";
    facula_options options{};
    options.size = sizeof options;
    options.max_memory = size_t{1} << 30;
    if (is_of_texts()) {
      options.sandbox = 1;
      options.folders = &folder;
      options.folder_count = 1;
      options.timeout = 2;
    }
    if (facula_open(&options, &state_) != FACULA_OK) fail(nullptr);
    set("name", name_);
    set("tests", FACULA_TESTS);
    run(state_, is_of_texts() ? kReadTexts : kReadFiles);
  }

  void read(std::string bytes) {
    facula::fuzz::correct_checksums(bytes);
    input_.fill(bytes);
    set("given", is_of_texts() ? bytes : input_.path());
    if (!is_of_texts()) lua_sethook(state_->interpreter->L, count_line, LUA_MASKLINE, 0);
    run(state_, "read(given)");
  }

 private:
  bool is_of_texts() const { return name_ == "texts"; }
  void set(const char* global, const std::string& text) {
    facula_value value{};
    value.type = FACULA_STRING;
    value.as.string = {text.data(), text.size()};
    if (facula_set(state_, global, &value) != FACULA_OK) fail(state_);
  }

  std::string name_;
  Input input_;
  facula_state* state_ = nullptr;
};

}  // namespace

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static Reader reader;
  reader.read({reinterpret_cast<const char*>(data), size});
  return 0;
}
