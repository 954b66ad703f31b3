// Files in memory.
#pragma once

#include <atomic>
#include <cstddef>
#include <string>

namespace facula {

/// All of a file in memory; private, so that what tensors change stays theirs. A page that somebody has cut off the file
/// meanwhile, which would end the process with SIGBUS, reads as zeros and is an error of the operator that met it.
class FileMapping {
 public:
  /// `name` begins the message of that error: `load: 'weights.pt'`.
  FileMapping(int descriptor, size_t size, std::string name);
  ~FileMapping();
  FileMapping(const FileMapping&) = delete;
  FileMapping& operator=(const FileMapping&) = delete;

  /// Could it be mapped? Not where the system says no, or with a thousand mappings at the same time.
  bool good() const { return start_; }
  char* start() const { return start_; }
  const std::string& name() const { return name_; }

 private:
  char* start_ = nullptr;
  size_t size_;
  std::string name_;
};

namespace detail {
inline std::atomic<bool> pages_are_missing{false};
[[noreturn]] void fail_for_missing_pages();
}  // namespace detail

/// An error if a page was missing since the last time.
inline void check_mappings() {
  if (detail::pages_are_missing.load(std::memory_order_relaxed)) [[unlikely]]
    detail::fail_for_missing_pages();
}

}  // namespace facula
