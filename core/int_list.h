// A list of integers that keeps up to four inside itself: sizes, strides, dims and positions of nearly every tensor.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <iosfwd>
#include <utility>

namespace facula {

/// Sizes, strides, dimensions. Prints as `(3, 4)`.
class IntList {
 public:
  static constexpr uint32_t kInline = 4;

  IntList() = default;
  explicit IntList(size_t n, int64_t value = 0) { assign(n, value); }
  IntList(std::initializer_list<int64_t> values) : IntList(values.begin(), values.end()) {}
  template <class It>
  requires(!std::is_integral_v<It>) IntList(It first, It last) {
    reserve(static_cast<size_t>(last - first));
    for (; first != last; ++first) begin()[size_++] = *first;
  }
  IntList(const IntList& other) { copy(other); }
  IntList(IntList&& other) noexcept { take(other); }
  IntList& operator=(const IntList& other) {
    if (this != &other) {
      size_ = 0;
      copy(other);
    }
    return *this;
  }
  IntList& operator=(IntList&& other) noexcept {
    if (this != &other) {
      free_heap();
      take(other);
    }
    return *this;
  }
  ~IntList() { free_heap(); }

  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  int64_t* begin() { return capacity_ == kInline ? here_ : heap_; }
  const int64_t* begin() const { return capacity_ == kInline ? here_ : heap_; }
  int64_t* end() { return begin() + size_; }
  const int64_t* end() const { return begin() + size_; }
  int64_t* data() { return begin(); }
  const int64_t* data() const { return begin(); }
  int64_t& operator[](size_t i) { return begin()[i]; }
  int64_t operator[](size_t i) const { return begin()[i]; }
  int64_t& back() { return begin()[size_ - 1]; }
  int64_t back() const { return begin()[size_ - 1]; }

  void clear() { size_ = 0; }
  void reserve(size_t n) {
    if (n <= capacity_) return;
    const size_t grown = std::max<size_t>(n, 2 * capacity_);
    auto* p = new int64_t[grown];
    std::memcpy(p, begin(), size_ * sizeof(int64_t));
    free_heap();
    heap_ = p;
    capacity_ = static_cast<uint32_t>(grown);
  }
  void assign(size_t n, int64_t value) {
    resize(n);
    std::fill(begin(), end(), value);
  }
  /// New elements are zero.
  void resize(size_t n) {
    reserve(n);
    if (n > size_) std::fill(begin() + size_, begin() + n, 0);
    size_ = static_cast<uint32_t>(n);
  }
  void push_back(int64_t v) {
    reserve(size_ + 1);
    begin()[size_++] = v;
  }
  void insert(size_t at, int64_t v) {
    push_back(v);
    std::rotate(begin() + at, end() - 1, end());
  }
  void erase(size_t at) {
    std::copy(begin() + at + 1, end(), begin() + at);
    --size_;
  }
  bool contains(int64_t v) const { return std::find(begin(), end(), v) != end(); }

  friend bool operator==(const IntList& a, const IntList& b) {
    if (a.size_ != b.size_) return false;
    const int64_t *p = a.begin(), *q = b.begin();
    for (uint32_t i = 0; i < a.size_; ++i)  // too short for a call of memcmp
      if (p[i] != q[i]) return false;
    return true;
  }

 private:
  void copy(const IntList& other) {
    if (capacity_ == kInline && other.capacity_ == kInline) {  // all of it: a fixed number of moves
      std::memcpy(here_, other.here_, sizeof here_);
    } else {
      reserve(other.size_);
      std::memcpy(begin(), other.begin(), other.size_ * sizeof(int64_t));
    }
    size_ = other.size_;
  }
  void take(IntList& other) noexcept {
    std::memcpy(static_cast<void*>(this), static_cast<const void*>(&other), sizeof(IntList));
    other.size_ = 0;
    other.capacity_ = kInline;
  }
  void free_heap() {
    if (capacity_ != kInline) delete[] heap_;
  }

  uint32_t size_ = 0;
  uint32_t capacity_ = kInline;
  union {
    int64_t here_[kInline];
    int64_t* heap_;
  };
};

std::ostream& operator<<(std::ostream& out, const IntList& list);

}  // namespace facula
