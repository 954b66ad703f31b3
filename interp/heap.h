// The memory of Lua's own objects.
#pragma once

#include <cstddef>

namespace facula::interp {

/// A heap for one interpreter: small blocks from lists by size, others from malloc. Scripts make and drop a handle per
/// operator call, and a list costs a fifth of what LuaJIT's general allocator does.
class Heap {
 public:
  Heap() = default;
  Heap(const Heap&) = delete;
  Heap& operator=(const Heap&) = delete;
  /// Gives all small blocks back: nothing allocated here may be in use any more.
  ~Heap();

  /// A lua_Alloc; `heap` is a Heap*.
  static void* allocate(void* heap, void* block, size_t old_size, size_t size);

 private:
  struct Link {
    Link* next;
  };
  static constexpr size_t kStep = 16, kLargest = 256, kPage = 64 << 10;
  static size_t class_of(size_t size) { return (size - 1) / kStep; }

  void* take(size_t size);
  void release(void* block, size_t size);
  bool add_page(size_t c);

  Link* free_[kLargest / kStep] = {};
  Link* pages_ = nullptr;
};

}  // namespace facula::interp
