// Small objects of one size from thread-local free lists: tensors, storages and nodes come and go by the million.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <mutex>
#include <new>
#include <utility>
#include <vector>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define FACULA_PLAIN_HEAP 1  // sanitizers see every object on its own
#endif

namespace facula {

/// Lists of free objects that threads left behind when they ended, for others to go on with.
template <class Link>
class Estate {
 public:
  void leave(Link* list) noexcept try {
    const std::lock_guard lock(mutex_);
    lists_.push_back(list);
  } catch (const std::bad_alloc&) {  // then nobody has it
  }
  /// Null where there is none.
  Link* inherit() {
    const std::lock_guard lock(mutex_);
    if (lists_.empty()) return nullptr;
    Link* const list = lists_.back();
    lists_.pop_back();
    return list;
  }

 private:
  std::mutex mutex_;
  std::vector<Link*> lists_;
};

/// Memory for objects of class T. Freed objects wait in the list of the thread that freed them, and in an estate after its
/// end; chunks are never returned, since tensors outlive threads and interpreters.
template <class T>
class Slab {
 public:
  static void* allocate() {
#ifdef FACULA_PLAIN_HEAP
    return ::operator new(sizeof(T));
#else
    if (!free_) grow();
    Link* p = free_;
    free_ = p->next;
    return p;
#endif
  }
#ifdef FACULA_PLAIN_HEAP
  // Out of line: beside a class's own operator new, GCC 12 takes the inlined call for a mismatch.
  [[gnu::noinline]] static void release(void* p) { ::operator delete(p); }
#else
  static void release(void* p) {
    if (!free_) make_will();
    auto* link = static_cast<Link*>(p);
    link->next = free_;
    free_ = link;
  }
#endif

 private:
  struct Link {
    Link* next;
  };
  static constexpr size_t kObjects = 128, kLine = 64;

  /// Leaves the thread's list to others at its end.
  struct Will {
    ~Will() {
      if (free_) estate().leave(std::exchange(free_, nullptr));
    }
  };
  static void make_will() { static thread_local const Will will; }
  static Estate<Link>& estate() {
    static auto* const one = new Estate<Link>;
    return *one;
  }

  static void grow() {
    make_will();
    free_ = estate().inherit();
    if (free_) return;
    constexpr size_t stride = (sizeof(T) + kLine - 1) / kLine * kLine;
    auto* chunk = static_cast<char*>(std::aligned_alloc(kLine, stride * kObjects));
    if (!chunk) throw std::bad_alloc();
    for (size_t i = kObjects; i-- > 0;) release(chunk + i * stride);
  }

  inline static thread_local constinit Link* free_ = nullptr;
};

}  // namespace facula
