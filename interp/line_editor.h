// Where the prompt's lines come from: libedit on a terminal, else the standard input as it is.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace facula::interp {

class LineEditor {
 public:
  enum class Result { Line, Interrupted, End };

  virtual ~LineEditor() = default;
  /// Without the line's end. An interrupt drops what was typed.
  virtual Result read(const char* prompt, std::string& line) = 0;
  /// Keeps the line for the arrow keys and for later sessions.
  virtual void remember(const std::string&) {}
};

/// What the word before the cursor may become: whole words that begin with it, and where in the text it begins.
struct Completions {
  size_t start = 0;
  std::vector<std::string> words;
};
using Completer = std::function<Completions(std::string_view text_before_cursor)>;

/// The best that the terminal, the build and the environment allow.
std::unique_ptr<LineEditor> open_line_editor(Completer complete);
/// The standard input as it is.
std::unique_ptr<LineEditor> open_plain_reader();
/// libedit with history and completion; null in a build without it.
std::unique_ptr<LineEditor> open_terminal_editor(Completer complete);

}  // namespace facula::interp
