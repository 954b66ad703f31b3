// The memory of Lua's own objects.
#pragma once

#include <cstddef>

struct lua_State;

namespace facula::interp {

/// A heap for one interpreter: small blocks from lists by size, others from malloc. Scripts make and drop a handle per
/// operator call, and a list costs a fifth of what LuaJIT's general allocator does.
class Heap {
 public:
  /// `limit`: bytes for Lua's objects and the tensors of the process together, 0 for none.
  explicit Heap(size_t limit = 0) : limit_(limit) {}
  Heap(const Heap&) = delete;
  Heap& operator=(const Heap&) = delete;
  /// Gives all small blocks back: nothing allocated here may be in use any more.
  ~Heap();

  /// A lua_Alloc; `heap` is a Heap*.
  static void* allocate(void* heap, void* block, size_t old_size, size_t size);

  /// `refused` is called with L whenever the limit is in the way. LuaJIT does not collect garbage then, so it must see to
  /// that; it runs within the allocation and must not use Lua's memory.
  void watch(lua_State* L, void (*refused)(lua_State*)) {
    L_ = L;
    refused_ = refused;
  }

 private:
  struct Link {
    Link* next;
  };
  static constexpr size_t kStep = 16, kLargest = 256, kPage = 64 << 10;
  static size_t class_of(size_t size) { return (size - 1) / kStep; }

  void* take(size_t size);
  void release(void* block, size_t size);
  void* move(void* block, size_t old_size, size_t size);
  bool add_page(size_t c);
  bool may_grow(size_t by) const;
  void count(size_t more, size_t less);

  Link* free_[kLargest / kStep] = {};
  Link* pages_ = nullptr;
  size_t limit_, used_ = 0;
  lua_State* L_ = nullptr;
  void (*refused_)(lua_State*) = nullptr;
};

}  // namespace facula::interp
