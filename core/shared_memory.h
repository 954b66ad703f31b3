// Memory that a process and its children see each other's changes in.
#pragma once

#include <cstddef>

namespace facula {

/// Pages of their own, known to no file system. All of them are there from the start: touching them never fails.
class SharedMemory {
 public:
  /// New memory, at least one byte. Errors: there is not so much.
  explicit SharedMemory(size_t bytes);
  /// The memory behind a descriptor, which is closed.
  SharedMemory(int descriptor, size_t bytes);
  ~SharedMemory();
  SharedMemory(const SharedMemory&) = delete;
  SharedMemory& operator=(const SharedMemory&) = delete;

  char* data() const { return data_; }
  size_t bytes() const { return bytes_; }
  /// To be handed to another process; -1 after `close_descriptor`.
  int descriptor() const { return descriptor_; }
  /// The memory lives on: mappings keep it.
  void close_descriptor();

 private:
  void map();

  char* data_ = nullptr;
  size_t bytes_;
  int descriptor_;
};

}  // namespace facula
