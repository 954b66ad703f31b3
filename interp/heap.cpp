#include "interp/heap.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "core/allocator.h"
#include "core/context.h"
#include "core/slab.h"

namespace facula::interp {

Heap::~Heap() {
  while (Link* page = pages_) {
    pages_ = page->next;
    std::free(page);
  }
}

// A page's first block is its link to the next.
bool Heap::add_page(size_t c) {
  auto* page = static_cast<Link*>(std::malloc(kPage));
  if (!page) return false;
  page->next = pages_;
  pages_ = page;
  const size_t size = (c + 1) * kStep;
  for (size_t at = kStep + (kPage - kStep) / size * size; at > kStep;) {
    at -= size;
    auto* link = reinterpret_cast<Link*>(reinterpret_cast<char*>(page) + at);
    link->next = free_[c];
    free_[c] = link;
  }
  return true;
}

void* Heap::take(size_t size) {
#ifdef FACULA_PLAIN_HEAP
  return std::malloc(size);
#else
  if (size > kLargest) return std::malloc(size);
  const size_t c = class_of(size);
  if (!free_[c] && !add_page(c)) [[unlikely]]
    return nullptr;
  Link* link = free_[c];
  free_[c] = link->next;
  return link;
#endif
}

void Heap::release(void* block, [[maybe_unused]] size_t size) {
#ifdef FACULA_PLAIN_HEAP
  std::free(block);
#else
  if (size > kLargest) return std::free(block);
  auto* link = static_cast<Link*>(block);
  link->next = free_[class_of(size)];
  free_[class_of(size)] = link;
#endif
}

void* Heap::move(void* block, size_t old_size, size_t size) {
  if (!block) return take(size);
  if (old_size > kLargest && size > kLargest) return std::realloc(block, size);
  void* moved = take(size);
  if (!moved) return size < old_size ? block : nullptr;  // shrinking may not fail
  std::memcpy(moved, block, std::min(old_size, size));
  release(block, old_size);
  return moved;
}

bool Heap::may_grow(size_t by) const {
  const auto tensors = static_cast<size_t>(std::max<int64_t>(0, cpu_allocated_now()));
  return used_ + by + tensors <= limit_;
}

void Heap::count(size_t more, size_t less) {
  used_ += more - less;
  if (limit_) context().memory_limit = std::max<size_t>(1, limit_ - std::min(limit_, used_));  // what tensors may use
}

void* Heap::allocate(void* heap, void* block, size_t old_size, size_t size) {
  Heap& h = *static_cast<Heap*>(heap);
#ifndef FACULA_PLAIN_HEAP
  if (!block && size - 1 < kLargest && h.free_[class_of(size)] && !h.limit_) [[likely]] {  // a handle, nearly always
    Link* const link = h.free_[class_of(size)];
    h.free_[class_of(size)] = link->next;
    h.used_ += size;
    return link;
  }
#endif
  if (size == 0) {
    if (!block) return nullptr;
    h.release(block, old_size);
    h.count(0, old_size);
    return nullptr;
  }
  if (!block) old_size = 0;  // LuaJIT gives the kind of object there
  if (h.limit_ && size > old_size && !h.may_grow(size - old_size)) [[unlikely]] {
    if (h.refused_) h.refused_(h.L_);
    return nullptr;
  }
  void* const moved = h.move(block, old_size, size);
  if (moved) h.count(size, old_size);
  return moved;
}

}  // namespace facula::interp
