// Files that are replaced whole or not at all, and files that are safe to read.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/parallel.h"

namespace facula {

/// The names in a folder in order, but for `.` and `..`; those of folders end in a slash.
std::vector<std::string> list_folder(const std::string& path, const std::string& operation);

/// A file that takes its name when it is complete. Write by `write`, or with a library's functions to `temporary()`, then
/// `commit`: whoever reads `path` finds the old file or the new one, even after a crash. Without a commit nothing remains.
class Replacement {
 public:
  /// A symbolic link is followed. Errors: `path` is something else than a plain file, or one that must not be written.
  Replacement(std::string path, std::string operation);
  ~Replacement();
  Replacement(const Replacement&) = delete;
  Replacement& operator=(const Replacement&) = delete;

  /// Appends to the file, which has no name until then where the file system can do that, so that a kill leaves nothing
  /// behind. The disk gets to work at once. Errors: the system's, an interrupt.
  void write(const void* data, uint64_t size);
  /// Writes over bytes that were appended before.
  void rewrite(uint64_t offset, const void* data, uint64_t size);
  uint64_t position() const { return position_; }

  /// The name of the file until `commit`, for those who write it themselves. Ask for it before the first `write`.
  const std::string& temporary();
  /// What was written is brought to the disk, takes the old file's permissions and its name.
  void commit();
  /// Fails with `operation: cannot write 'path' (No space left on device)`.
  [[noreturn]] void fail_with(int error_number) const;
  [[noreturn]] void fail_with(const std::string& reason) const;

 private:
  void open();
  void open_named();
  void take_temporary_name(FunctionRef<bool(const char*)> take);
  void put(uint64_t offset, const void* data, uint64_t size);
  void give_name();

  std::string path_, target_, temporary_;
  std::string operation_;
  int descriptor_ = -1;
  bool named_ = false;  // is the file at `temporary_`?
  uint64_t position_ = 0, handed_over_ = 0;
};

/// A plain file, open for reading. Directories, pipes and devices are refused, without blocking on them.
class InputFile {
 public:
  InputFile(const std::string& path, const std::string& operation);
  ~InputFile();
  InputFile(const InputFile&) = delete;
  InputFile& operator=(const InputFile&) = delete;

  int descriptor() const { return descriptor_; }
  int64_t size() const { return size_; }
  /// False where the bytes are not there, or not any more. Errors: an interrupt.
  bool read(uint64_t offset, uint64_t size, void* to) const;

 private:
  int descriptor_;
  int64_t size_ = 0;
};

/// Adds the bytes to the end of the file, which is made if it is not there: all of them, or none if that fails. Errors: the
/// system's, in the words of Replacement; the file is no plain one.
void append_file(const std::string& path, std::string_view bytes, const char* operation);

/// Makes the folder and those above it, as far as they are not there.
void make_folders(const std::string& path, const char* operation);

}  // namespace facula
