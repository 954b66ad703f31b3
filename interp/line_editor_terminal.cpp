#include "interp/line_editor.h"

#ifdef FACULA_WITH_EDIT

#include <fcntl.h>
#include <histedit.h>
#include <langinfo.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <clocale>
#include <cstdio>
#include <cstdlib>
#include <cwchar>
#include <filesystem>
#include <fstream>

#include "interp/interrupt.h"

namespace facula::interp {
namespace {

constexpr int kHistoryLines = 10'000;
constexpr std::streamoff kHistoryBytes = 4 << 20;  // read from the end of a larger file

/// $XDG_STATE_HOME/facula/history or ~/.local/state/facula/history; empty where there is no home.
std::string history_path() {
  const char* const state = std::getenv("XDG_STATE_HOME");
  if (state && *state == '/') return std::string(state) + "/facula/history";
  const char* const home = std::getenv("HOME");
  return home && *home == '/' ? std::string(home) + "/.local/state/facula/history" : "";
}

/// Lines of earlier sessions, appended to one by one, so that sessions at the same time keep each other's.
class HistoryFile {
 public:
  HistoryFile() : path_(history_path()) {
    if (path_.empty()) return;
    std::error_code ignored;
    std::filesystem::create_directories(std::filesystem::path(path_).parent_path(), ignored);
    file_ = open(path_.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
  }
  ~HistoryFile() {
    if (file_ >= 0) close(file_);
  }
  HistoryFile(const HistoryFile&) = delete;
  HistoryFile& operator=(const HistoryFile&) = delete;

  template <class Each>
  void read(Each&& each) const {
    std::error_code error;
    if (!std::filesystem::is_regular_file(path_, error)) return;
    std::ifstream in(path_, std::ios::binary | std::ios::ate);
    const std::streamoff skipped = std::max<std::streamoff>(0, std::streamoff(in.tellg()) - kHistoryBytes);
    in.seekg(skipped);
    std::string line;
    if (skipped > 0) std::getline(in, line);  // a part of one
    while (std::getline(in, line)) each(line);
  }

  /// One write of a whole line, which does not mix with others'. A history that cannot be written is no error.
  void append(const std::string& line) const {
    const std::string whole = line + '\n';
    [[maybe_unused]] const ssize_t written = file_ < 0 ? 0 : write(file_, whole.data(), whole.size());
  }

 private:
  std::string path_;
  int file_ = -1;
};

class TerminalEditor : public LineEditor {
 public:
  explicit TerminalEditor(Completer complete) : complete_(std::move(complete)) {
    // libedit reads characters by the locale. Only that part of it is taken: numbers stay as Lua writes them.
    std::setlocale(LC_CTYPE, "");
    if (std::string_view(nl_langinfo(CODESET)) != "UTF-8") std::setlocale(LC_CTYPE, "C.UTF-8");
    edit_ = el_init("facula", stdin, stdout, stderr);
    history_ = history_init();
    HistEvent event;
    history(history_, &event, H_SETSIZE, kHistoryLines);
    history(history_, &event, H_SETUNIQUE, 1);
    file_.read([&](const std::string& line) { history(history_, &event, H_ENTER, line.c_str()); });

    el_set(edit_, EL_CLIENTDATA, this);
    el_set(edit_, EL_PROMPT, &TerminalEditor::prompt);
    el_set(edit_, EL_EDITOR, "emacs");
    el_set(edit_, EL_SIGNAL, 0);
    el_set(edit_, EL_HIST, ::history, history_);
    el_set(edit_, EL_GETCFN, &TerminalEditor::read_character);
    el_set(edit_, EL_ADDFN, "facula-complete", "complete the word", &TerminalEditor::complete);
    el_set(edit_, EL_BIND, "\t", "facula-complete", nullptr);
    el_set(edit_, EL_BIND, "^R", "em-inc-search-prev", nullptr);
    el_set(edit_, EL_BIND, "^W", "ed-delete-prev-word", nullptr);
    el_set(edit_, EL_BIND, "\\e[1;5D", "ed-prev-word", nullptr);
    el_set(edit_, EL_BIND, "\\e[1;5C", "em-next-word", nullptr);
    el_set(edit_, EL_BIND, "\\e[3~", "ed-delete-next-char", nullptr);
    el_source(edit_, nullptr);  // the user's ~/.editrc
  }
  ~TerminalEditor() override {
    history_end(history_);
    el_end(edit_);
  }

  Result read(const char* prompt, std::string& line) override {
    prompt_ = prompt;
    interrupted_ = false;
    el_resize(edit_);
    int n = 0;
    const char* const text = el_gets(edit_, &n);
    if (interrupted_ || !text || n <= 0) {
      std::fputc('\n', stdout);
      el_reset(edit_);
      return interrupted_ ? Result::Interrupted : Result::End;
    }
    line = text;
    if (!line.empty() && line.back() == '\n') line.pop_back();
    return Result::Line;
  }

  void remember(const std::string& line) override {
    if (line.find_first_not_of(" \t") == std::string::npos || line == last_) return;
    last_ = line;
    HistEvent event;
    history(history_, &event, H_ENTER, line.c_str());
    file_.append(line);
  }

 private:
  static TerminalEditor& self(EditLine* e) {
    void* data = nullptr;
    el_get(e, EL_CLIENTDATA, &data);
    return *static_cast<TerminalEditor*>(data);
  }

  static char* prompt(EditLine* e) { return const_cast<char*>(self(e).prompt_); }

  /// One character from its bytes. An interrupt ends the line; bytes that are no character are dropped.
  static int read_character(EditLine* e, wchar_t* out) {
    std::mbstate_t state{};
    for (;;) {
      char byte;
      const ssize_t n = ::read(STDIN_FILENO, &byte, 1);
      if (n == 0) return 0;
      if (n < 0) {
        if (errno == EINTR && !interrupted_while_idle()) continue;
        self(e).interrupted_ = errno == EINTR;
        return -1;
      }
      const size_t used = std::mbrtowc(out, &byte, 1, &state);
      if (used == static_cast<size_t>(-1)) state = {};
      if (used <= 1) return 1;
    }
  }

  /// Inserts what all candidates have in common; lists them where that is nothing.
  static unsigned char complete(EditLine* e, int) {
    const LineInfo* const line = el_line(e);
    const std::string_view before(line->buffer, static_cast<size_t>(line->cursor - line->buffer));
    const Completions found = self(e).complete_(before);
    if (found.words.empty()) return CC_REFRESH_BEEP;
    const std::string_view word = before.substr(found.start);
    size_t common = found.words[0].size();
    for (const std::string& w : found.words) {
      const std::string& first = found.words[0];
      const auto end = std::mismatch(w.begin(), w.end(), first.begin(), first.end()).first;
      common = std::min(common, static_cast<size_t>(end - w.begin()));
    }
    if (common > word.size()) {
      el_insertstr(e, found.words[0].substr(word.size(), common - word.size()).c_str());
      return CC_REFRESH;
    }
    if (found.words.size() == 1) return CC_NORM;
    list(found.words);
    return CC_REDISPLAY;
  }

  static void list(const std::vector<std::string>& words) {
    constexpr size_t most = 200, width = 80;
    size_t column = 0;
    for (const std::string& w : words) column = std::max(column, w.size() + 2);
    const size_t per_line = std::max<size_t>(1, width / column);
    std::fputc('\n', stdout);
    for (size_t i = 0; i < std::min(words.size(), most); ++i) {
      const bool last = (i + 1) % per_line == 0 || i + 1 == std::min(words.size(), most);
      std::printf("%-*s%s", last ? 0 : static_cast<int>(column), words[i].c_str(), last ? "\n" : "");
    }
    if (words.size() > most) std::printf("... and %zu more\n", words.size() - most);
  }

  Completer complete_;
  HistoryFile file_;
  EditLine* edit_;
  History* history_;
  const char* prompt_ = "";
  std::string last_;
  bool interrupted_ = false;
};

}  // namespace

std::unique_ptr<LineEditor> open_terminal_editor(Completer complete) {
  return std::make_unique<TerminalEditor>(std::move(complete));
}

}  // namespace facula::interp

#else

std::unique_ptr<facula::interp::LineEditor> facula::interp::open_terminal_editor(Completer) { return nullptr; }

#endif
