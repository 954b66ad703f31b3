#include "interp/line_editor.h"

#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "interp/interrupt.h"

namespace facula::interp {
namespace {

/// stdin through stdio, which Lua's io library reads from too.
class PlainEditor : public LineEditor {
 public:
  ~PlainEditor() override { std::free(buffer_); }

  Result read(const char* prompt, std::string& line) override {
    std::fputs(prompt, stdout);
    std::fflush(stdout);
    interrupted_while_idle();  // not this line's
    errno = 0;
    ssize_t n = getline(&buffer_, &capacity_, stdin);
    if (n < 0) {
      const bool interrupted = errno == EINTR && interrupted_while_idle();
      std::clearerr(stdin);
      if (*prompt) std::fputc('\n', stdout);
      return interrupted ? Result::Interrupted : Result::End;
    }
    if (n > 0 && buffer_[n - 1] == '\n') --n;
    line.assign(buffer_, static_cast<size_t>(n));
    return Result::Line;
  }

 private:
  char* buffer_ = nullptr;
  size_t capacity_ = 0;
};

}  // namespace

std::unique_ptr<LineEditor> open_plain_reader() { return std::make_unique<PlainEditor>(); }

std::unique_ptr<LineEditor> open_line_editor(Completer complete) {
  const char* const terminal = std::getenv("TERM");
  const bool capable = terminal && *terminal && std::strcmp(terminal, "dumb") != 0;
  if (capable && isatty(STDIN_FILENO) && isatty(STDOUT_FILENO))
    if (auto editor = open_terminal_editor(std::move(complete))) return editor;
  return open_plain_reader();
}

}  // namespace facula::interp
