// A reader of files under libFuzzer: FACULA_FUZZ_READER is the function of Lua that gets a path. A value and an error that
// names the file are answers; crashes, hangs, other errors, and more memory than libFuzzer allows are findings.
#include <sys/mman.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>

#include "interp/facula.h"

namespace {

// A file in memory that is filled anew for every input.
class Input {
 public:
  Input() : descriptor_(memfd_create("input", MFD_CLOEXEC)) {}
  std::string path() const { return "/proc/self/fd/" + std::to_string(descriptor_); }
  void fill(const uint8_t* data, size_t size) const {
    if (ftruncate(descriptor_, 0) != 0 || pwrite(descriptor_, data, size, 0) != static_cast<ssize_t>(size))
      std::abort();
  }

 private:
  int descriptor_;
};

void run(facula_state* state, const std::string& code) {
  if (facula_run_string(state, code.c_str(), "=fuzz") == FACULA_OK) return;
  std::fprintf(stderr, "%s\n%s\n", facula_message(state), facula_traceback(state));
  std::abort();
}

facula_state* open_state(const Input& input) {
  facula_options options{};
  options.size = sizeof options;
  options.max_memory = size_t{1} << 30;
  facula_state* state = nullptr;
  if (facula_open(&options, &state) != FACULA_OK) std::abort();
  run(state, "local path, read = '" + input.path() + "', " FACULA_FUZZ_READER R"(
    function fuzz()
      local good, problem = pcall(read, path)
      if good then return end
      problem = tostring(problem)
      local is_answer = problem:find(path, 1, true) and not problem:find("attempt to", 1, true)
      if not is_answer then error("no answer but: " .. problem, 0) end
    end)");
  return state;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const Input input;
  static facula_state* const state = open_state(input);
  input.fill(data, size);
  run(state, "fuzz()");
  return 0;
}
