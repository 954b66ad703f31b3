// The line editor on a terminal: libedit, with completion, a history and pasting of our own.
#include "interp/line_editor.h"

#ifdef FACULA_WITH_EDIT

#include <histedit.h>
#include <langinfo.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <clocale>
#include <cstdio>
#include <cwchar>
#include <optional>

#include "interp/history.h"
#include "interp/interrupt.h"

namespace facula::interp {
namespace {

// Terminals put these around what is pasted, once they were asked to.
constexpr const char *kPasteOn = "\33[?2004h", *kPasteOff = "\33[?2004l";
constexpr std::string_view kPasteEnd = "\33[201~";
constexpr size_t kNowhere = static_cast<size_t>(-1);
constexpr size_t kLargePaste = 8 << 10;  // bytes that are run at once rather than edited

// ---- signals that concern the terminal ----

volatile sig_atomic_t stop_requested = 0, resized = 0;

/// While a line is read, Ctrl-Z and a new size of the window are the editor's business.
class EditorSignals {
 public:
  EditorSignals() {
    struct sigaction action = {};  // without SA_RESTART: the read returns
    action.sa_handler = [](int) { stop_requested = 1; };
    sigaction(SIGTSTP, &action, &old_stop_);
    action.sa_handler = [](int) { resized = 1; };
    sigaction(SIGWINCH, &action, &old_resize_);
  }
  ~EditorSignals() {
    sigaction(SIGTSTP, &old_stop_, nullptr);
    sigaction(SIGWINCH, &old_resize_, nullptr);
  }
  EditorSignals(const EditorSignals&) = delete;
  EditorSignals& operator=(const EditorSignals&) = delete;

 private:
  struct sigaction old_stop_ = {}, old_resize_ = {};
};

void stop_and_continue(EditLine* e) {
  stop_requested = 0;
  el_set(e, EL_PREP_TERM, 0);
  raise(SIGSTOP);
  el_set(e, EL_PREP_TERM, 1);
  el_set(e, EL_REFRESH);
}

size_t terminal_width() {
  winsize size{};
  return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

size_t columns(std::string_view text) {
  return static_cast<size_t>(std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; }));
}

class TerminalEditor : public LineEditor {
 public:
  explicit TerminalEditor(Completer complete) : complete_(std::move(complete)) {
    // libedit reads characters by the locale. Only that part of it is taken: numbers stay as Lua writes them.
    std::setlocale(LC_CTYPE, "");
    if (std::string_view(nl_langinfo(CODESET)) != "UTF-8") std::setlocale(LC_CTYPE, "C.UTF-8");
    edit_ = el_init("facula", stdin, stdout, stderr);
    searched_ = history_init();
    HistEvent event;
    ::history(searched_, &event, H_SETSIZE, 10'000);
    for (const std::string& entry : history_.entries()) ::history(searched_, &event, H_ENTER, entry.c_str());

    el_set(edit_, EL_CLIENTDATA, this);
    el_set(edit_, EL_PROMPT, &TerminalEditor::prompt);
    el_set(edit_, EL_EDITOR, "emacs");
    el_set(edit_, EL_SIGNAL, 0);
    el_set(edit_, EL_HIST, ::history, searched_);
    el_set(edit_, EL_GETCFN, &TerminalEditor::read_character);
    bind_keys();
    el_source(edit_, nullptr);  // the user's ~/.editrc
  }
  ~TerminalEditor() override {
    history_end(searched_);
    el_end(edit_);
  }

  Result read(const char* prompt, std::string& line) override {
    prompt_ = prompt;
    interrupted_while_idle();  // not this line's
    interrupted_ = false;
    large_paste_.reset();
    position_ = kNowhere;
    el_resize(edit_);
    const EditorSignals signals;
    el_set(edit_, EL_PREP_TERM, 1);  // before anybody can see a prompt and type
    std::fputs(kPasteOn, stdout);
    std::fflush(stdout);
    int n = 0;
    const char* const text = el_gets(edit_, &n);
    std::fputs(kPasteOff, stdout);
    if (interrupted_ || ((!text || n <= 0) && !large_paste_)) {
      std::fputc('\n', stdout);
      el_reset(edit_);
      return interrupted_ ? Result::Interrupted : Result::End;
    }
    line = text ? text : "";
    if (!line.empty() && line.back() == '\n') line.pop_back();
    if (large_paste_) finish_large_paste(line);
    return Result::Line;
  }

  void remember(const std::string& input) override {
    HistEvent event;
    if (history_.add(input)) ::history(searched_, &event, H_ENTER, input.c_str());
  }

 private:
  using Action = unsigned char (*)(EditLine*, int);

  static TerminalEditor& self(EditLine* e) {
    void* data = nullptr;
    el_get(e, EL_CLIENTDATA, &data);
    return *static_cast<TerminalEditor*>(data);
  }

  static char* prompt(EditLine* e) { return const_cast<char*>(self(e).prompt_); }

  void bind_keys() {
    el_set(edit_, EL_ADDFN, "facula-complete", "complete the word", Action(&TerminalEditor::complete));
    el_set(edit_, EL_ADDFN, "facula-earlier", "an earlier input that begins like this",
           Action([](EditLine* e, int) { return self(e).bring_back(-1); }));
    el_set(edit_, EL_ADDFN, "facula-later", "a later input that begins like this",
           Action([](EditLine* e, int) { return self(e).bring_back(1); }));
    el_set(edit_, EL_ADDFN, "facula-paste", "insert what is pasted", Action(&TerminalEditor::paste));
    constexpr const char* keys[][2] = {
        {"\t", "facula-complete"},    {"\\e[A", "facula-earlier"},       {"\\eOA", "facula-earlier"},
        {"\\e[B", "facula-later"},    {"\\eOB", "facula-later"},         {"\\e[200~", "facula-paste"},
        {"^R", "em-inc-search-prev"}, {"^W", "ed-delete-prev-word"},     {"\\e[1;5D", "ed-prev-word"},
        {"\\e[1;5C", "em-next-word"}, {"\\e[3~", "ed-delete-next-char"}, {"\\e[H", "ed-move-to-beg"},
        {"\\e[F", "ed-move-to-end"}};
    for (const auto& [key, action] : keys) el_set(edit_, EL_BIND, key, action, nullptr);
  }

  // ---- reading ----

  /// Waits for input. False after a signal, also one that came before.
  static bool is_readable() {
    sigset_t waited_for, before;
    sigemptyset(&waited_for);
    for (const int signal : {SIGINT, SIGTSTP, SIGWINCH}) sigaddset(&waited_for, signal);
    pthread_sigmask(SIG_BLOCK, &waited_for, &before);
    pollfd input = {STDIN_FILENO, POLLIN, 0};
    const bool readable = !(is_interrupt_pending() || stop_requested) && ppoll(&input, 1, nullptr, &before) > 0;
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    return readable;
  }

  /// False at an interrupt and at the input's end; `interrupted_` tells which.
  bool read_byte(char& byte) {
    if (!pending_.empty()) {
      byte = pending_.front();
      pending_.erase(0, 1);
      return true;
    }
    for (;;) {
      if (is_readable()) return ::read(STDIN_FILENO, &byte, 1) == 1;
      if (interrupted_while_idle()) {
        interrupted_ = true;
        return false;
      }
      if (stop_requested) stop_and_continue(edit_);
      if (resized) {
        resized = 0;
        el_resize(edit_);
      }
    }
  }

  /// One character from its bytes; bytes that are no character are dropped.
  static int read_character(EditLine* e, wchar_t* out) {
    std::mbstate_t state{};
    for (char byte; self(e).read_byte(byte);) {
      const size_t used = std::mbrtowc(out, &byte, 1, &state);
      if (used == static_cast<size_t>(-1)) state = {};
      if (used <= 1) return 1;
    }
    return self(e).interrupted_ ? -1 : 0;
  }

  // ---- pasting ----

  /// What comes before kPasteEnd, with the ends of lines as Lua has them.
  std::string read_paste() {
    std::string text = std::move(pending_);
    pending_.clear();
    size_t end;
    while ((end = text.find(kPasteEnd, text.size() - std::min(text.size(), size_t{4096} + kPasteEnd.size()))) ==
           std::string::npos) {
      char bytes[4096];
      const ssize_t n = ::read(STDIN_FILENO, bytes, sizeof bytes);
      if (n > 0) text.append(bytes, static_cast<size_t>(n));
      if (n == 0 || (n < 0 && (errno != EINTR || (interrupted_ = interrupted_while_idle())))) return {};
    }
    pending_ = text.substr(end + kPasteEnd.size());
    text.resize(end);
    for (size_t i = 0; i < text.size(); ++i)
      if (text[i] == '\r') text[i] = '\n';
    if (text.ends_with('\n')) text.pop_back();
    return text;
  }

  static unsigned char paste(EditLine* e, int) {
    TerminalEditor& editor = self(e);
    std::string text = editor.read_paste();
    if (editor.interrupted_) return CC_EOF;
    if (text.size() <= kLargePaste && el_insertstr(e, text.c_str()) == 0) return CC_REFRESH;
    const LineInfo* const line = el_line(e);
    editor.large_paste_ = std::move(text);
    editor.large_paste_at_ = static_cast<size_t>(line->cursor - line->buffer);
    return CC_NEWLINE;
  }

  void finish_large_paste(std::string& line) {
    std::printf("(%zu bytes pasted)\n", large_paste_->size());
    line.insert(std::min(large_paste_at_, line.size()), *large_paste_);
  }

  // ---- earlier inputs ----

  static std::string typed(EditLine* e) {
    const LineInfo* const line = el_line(e);
    return {line->buffer, line->lastchar};
  }

  void replace(const std::string& text) {
    const LineInfoW* const line = el_wline(edit_);
    el_cursor(edit_, static_cast<int>(line->lastchar - line->cursor));
    el_deletestr(edit_, static_cast<int>(line->lastchar - line->buffer));
    el_insertstr(edit_, text.c_str());
  }

  /// The next input in the direction `step` that begins with what was typed; behind the last one what was typed itself.
  unsigned char bring_back(int step) {
    const std::vector<std::string>& entries = history_.entries();
    const std::string now = typed(edit_);
    if (position_ == kNowhere || now != brought_) {
      wanted_ = now;
      position_ = entries.size();
    }
    for (size_t i = position_ + static_cast<size_t>(step); i <= entries.size(); i += static_cast<size_t>(step)) {
      const std::string& entry = i < entries.size() ? entries[i] : wanted_;
      if (!entry.starts_with(wanted_) || entry == now) continue;
      position_ = i;
      brought_ = entry;
      replace(entry);
      return CC_REFRESH;
    }
    brought_ = now;
    return CC_REFRESH_BEEP;
  }

  // ---- completion ----

  /// Inserts what all candidates have in common; lists them where that is nothing.
  static unsigned char complete(EditLine* e, int) {
    const LineInfo* const line = el_line(e);
    const std::string before(line->buffer, line->cursor);
    const Completions found = self(e).complete_(before);
    if (found.words.empty()) return CC_REFRESH_BEEP;
    const std::string& first = found.words[0];
    const size_t length = before.size() - found.start;
    size_t common = first.size();
    for (const std::string& w : found.words)
      common =
          std::min<size_t>(common, std::mismatch(w.begin(), w.end(), first.begin(), first.end()).first - w.begin());
    if (common > length) {
      el_insertstr(e, first.substr(length, common - length).c_str());
      return CC_REFRESH;
    }
    if (found.words.size() == 1) return CC_NORM;
    list(found.words);
    return CC_REDISPLAY;
  }

  static void list(const std::vector<std::string>& words) {
    constexpr size_t most = 200;
    const size_t shown = std::min(words.size(), most);
    size_t column = 0;
    for (size_t i = 0; i < shown; ++i) column = std::max(column, columns(words[i]) + 2);
    const size_t per_line = std::max<size_t>(1, terminal_width() / column);
    std::fputc('\n', stdout);
    for (size_t i = 0; i < shown; ++i) {
      const bool last = (i + 1) % per_line == 0 || i + 1 == shown;
      const std::string gap = last ? "\n" : std::string(column - columns(words[i]), ' ');
      std::printf("%s%s", words[i].c_str(), gap.c_str());
    }
    if (words.size() > most) std::printf("... and %zu more\n", words.size() - most);
  }

  Completer complete_;
  History history_;
  EditLine* edit_;
  struct ::history* searched_;  // the same entries, for libedit's own search
  const char* prompt_ = "";
  bool interrupted_ = false;
  std::string pending_;  // bytes that came behind a paste
  std::optional<std::string> large_paste_;
  size_t large_paste_at_ = 0;
  // Of the walk through the history: what it looks for, what it found last, and where.
  std::string wanted_, brought_;
  size_t position_ = kNowhere;
};

}  // namespace

std::unique_ptr<LineEditor> open_terminal_editor(Completer complete) {
  return std::make_unique<TerminalEditor>(std::move(complete));
}

}  // namespace facula::interp

#else

std::unique_ptr<facula::interp::LineEditor> facula::interp::open_terminal_editor(Completer) { return nullptr; }

#endif
