// Inputs of this session and of earlier ones.
#pragma once

#include <string>
#include <vector>

namespace facula::interp {

/// Kept in $XDG_STATE_HOME/facula/history (~/.local/state/facula/history), one input a line, which only its user may read. Each
/// input is appended at once, under a lock, so that sessions at the same time keep each other's. A history that cannot be
/// read or written is no error.
class History {
 public:
  History();

  /// The oldest first, each once.
  const std::vector<std::string>& entries() const { return entries_; }
  /// False for what is not worth keeping: blanks, and what was the last one already.
  bool add(const std::string& entry);

 private:
  void append(const std::string& line) const;
  void shorten() const;

  std::string path_;  // empty: there is no place
  std::vector<std::string> entries_;
};

}  // namespace facula::interp
