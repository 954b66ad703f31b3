// Memory that a process and its children see each other's changes in.
#pragma once

#include <cstddef>

namespace facula {

/// Pages of their own, known to no file system. All of them are there from the start: touching them never fails.
///
/// New pages are best filled through the descriptor: the system need not clear them before, nor map them one by one, which
/// together take longer than the copy.
class SharedMemory {
 public:
  /// New memory, at least one byte. Errors: there is not so much.
  explicit SharedMemory(size_t bytes);
  /// The memory behind a descriptor, which is closed.
  SharedMemory(int descriptor, size_t bytes);
  ~SharedMemory();
  SharedMemory(const SharedMemory&) = delete;
  SharedMemory& operator=(const SharedMemory&) = delete;

  /// Copies to byte `place` on, through the descriptor while that is open.
  void write(size_t place, const void* bytes, size_t count);
  char* data() const { return data_; }
  size_t bytes() const { return bytes_; }
  /// To be handed to another process; -1 after `close_descriptor`.
  int descriptor() const { return descriptor_; }
  /// The memory lives on: mappings keep it.
  void close_descriptor();

 private:
  void map(int flags);
  void populate();

  char* data_ = nullptr;
  size_t bytes_;
  bool is_populated_ = false;  // are all pages mapped?
  int descriptor_;
};

}  // namespace facula
