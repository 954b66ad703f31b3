// Files that are replaced whole or not at all, and files that are safe to read.
#pragma once

#include <cstdint>
#include <string>

namespace facula {

/// A file that takes its name when it is complete. Write to `temporary()`, in the same directory, then `commit`: whoever
/// reads `path` finds the old file or the new one, even after a crash. Without a commit the temporary is removed.
class Replacement {
 public:
  /// A symbolic link is followed. Errors: `path` is something else than a plain file, the directory cannot be found.
  Replacement(std::string path, const char* operation);
  ~Replacement();
  Replacement(const Replacement&) = delete;
  Replacement& operator=(const Replacement&) = delete;

  const std::string& temporary() const { return temporary_; }
  /// The temporary is brought to the disk, takes the old file's permissions and its name.
  void commit();
  /// Fails with `operation: cannot write 'path' (No space left on device)`.
  [[noreturn]] void fail_with(int error_number) const;
  [[noreturn]] void fail_with(const std::string& reason) const;

 private:
  std::string path_, target_, temporary_;
  const char* operation_;
};

/// A plain file, open for reading. Directories, pipes and devices are refused, without blocking on them.
class InputFile {
 public:
  InputFile(const std::string& path, const char* operation);
  ~InputFile();
  InputFile(const InputFile&) = delete;
  InputFile& operator=(const InputFile&) = delete;

  int descriptor() const { return descriptor_; }
  int64_t size() const { return size_; }

 private:
  int descriptor_;
  int64_t size_ = 0;
};

}  // namespace facula
