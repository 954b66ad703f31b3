// A vector whose first few elements need no allocation.
#pragma once

#include <cstddef>
#include <vector>

namespace facula {

/// Grows at the end only. The first N elements live inside, default-constructed; the others in a std::vector.
template <class T, size_t N>
class InlineVector {
 public:
  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  T& operator[](size_t i) { return i < N ? here_[i] : more_[i - N]; }
  const T& operator[](size_t i) const { return i < N ? here_[i] : more_[i - N]; }
  T& back() { return (*this)[size_ - 1]; }
  void push_back(T v) {
    if (size_ < N)
      here_[size_] = std::move(v);
    else
      more_.push_back(std::move(v));
    ++size_;
  }

  template <class V>
  struct Iterator {
    V* list;
    size_t i;
    auto& operator*() const { return (*list)[i]; }
    Iterator& operator++() {
      ++i;
      return *this;
    }
    bool operator==(const Iterator& other) const { return i == other.i; }
  };
  auto begin() { return Iterator<InlineVector>{this, 0}; }
  auto end() { return Iterator<InlineVector>{this, size_}; }
  auto begin() const { return Iterator<const InlineVector>{this, 0}; }
  auto end() const { return Iterator<const InlineVector>{this, size_}; }

 private:
  T here_[N];
  size_t size_ = 0;
  std::vector<T> more_;
};

}  // namespace facula
