#include "interp/history.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <unordered_set>

namespace facula::interp {
namespace {

constexpr size_t kMostEntries = 10'000;
constexpr std::streamoff kMostBytes = 4 << 20;  // read from the end of a larger file
constexpr uintmax_t kLargeFile = 16 << 20;      // shortened when a session begins

/// Empty where there is no home.
std::string history_path() {
  const char* const state = std::getenv("XDG_STATE_HOME");
  if (state && *state == '/') return std::string(state) + "/facula/history";
  const char* const home = std::getenv("HOME");
  return home && *home == '/' ? std::string(home) + "/.local/state/facula/history" : "";
}

// In a line's place: an input's own lines end in `\n`.
std::string escaped(const std::string& entry) {
  std::string out;
  for (const char c : entry) {
    if (c == '\\' || c == '\n') out += '\\';
    out += c == '\n' ? 'n' : c;
  }
  return out;
}

std::string unescaped(const std::string& line) {
  std::string out;
  for (size_t i = 0; i < line.size(); ++i) {
    const bool escape = line[i] == '\\' && i + 1 < line.size();
    if (escape) ++i;
    out += escape && line[i] == 'n' ? '\n' : line[i];
  }
  return out;
}

void remove_repeated(std::vector<std::string>& entries) {
  std::unordered_set<std::string_view> seen;
  std::vector<std::string> kept;
  for (size_t i = entries.size(); i-- > 0 && kept.size() < kMostEntries;)
    if (seen.insert(entries[i]).second) kept.push_back(entries[i]);
  entries.assign(kept.rbegin(), kept.rend());
}

std::vector<std::string> last_lines(const std::string& path) {
  std::vector<std::string> lines;
  std::error_code error;
  if (!std::filesystem::is_regular_file(path, error)) return lines;
  std::ifstream in(path, std::ios::binary | std::ios::ate);
  const std::streamoff skipped = std::max<std::streamoff>(0, std::streamoff(in.tellg()) - kMostBytes);
  in.seekg(skipped);
  std::string line;
  if (skipped > 0) std::getline(in, line);  // a part of one
  while (std::getline(in, line)) lines.push_back(line);
  return lines;
}

/// A file that nobody else writes meanwhile.
class LockedFile {
 public:
  LockedFile(const std::string& path, int flags) : file_(open(path.c_str(), flags | O_CLOEXEC | O_NONBLOCK, 0600)) {
    if (file_ >= 0) flock(file_, LOCK_EX);
  }
  ~LockedFile() {
    if (file_ >= 0) close(file_);
  }
  LockedFile(const LockedFile&) = delete;
  LockedFile& operator=(const LockedFile&) = delete;

  void write(const std::string& text) const {
    [[maybe_unused]] const ssize_t written = file_ < 0 ? 0 : ::write(file_, text.data(), text.size());
  }
  void clear() const {
    if (file_ >= 0 && ftruncate(file_, 0) != 0) return;
  }

 private:
  int file_;
};

}  // namespace

History::History() : path_(history_path()) {
  if (path_.empty()) return;
  std::error_code ignored;
  std::filesystem::create_directories(std::filesystem::path(path_).parent_path(), ignored);
  for (const std::string& line : last_lines(path_)) entries_.push_back(unescaped(line));
  remove_repeated(entries_);
  const uintmax_t size = std::filesystem::file_size(path_, ignored);
  if (!ignored && size > kLargeFile) shorten();
}

bool History::add(const std::string& entry) {
  if (entry.find_first_not_of(" \t\n") == std::string::npos) return false;
  if (!entries_.empty() && entries_.back() == entry) return false;
  std::erase(entries_, entry);
  entries_.push_back(entry);
  if (entries_.size() > kMostEntries) entries_.erase(entries_.begin());
  append(escaped(entry) + '\n');
  return true;
}

void History::append(const std::string& line) const {
  if (!path_.empty() && static_cast<std::streamoff>(line.size()) < kMostBytes)
    LockedFile(path_, O_WRONLY | O_APPEND | O_CREAT).write(line);
}

void History::shorten() const {
  std::string all;
  for (const std::string& entry : entries_) all += escaped(entry) + '\n';
  const LockedFile file(path_, O_WRONLY);
  file.clear();
  file.write(all);
}

}  // namespace facula::interp
