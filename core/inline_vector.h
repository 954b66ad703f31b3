// A vector whose first few elements need no allocation.
#pragma once

#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

namespace facula {

/// Grows at the end only. The first N elements live inside, default-constructed; the others in a std::vector, made when
/// one is needed.
template <class T, size_t N>
class InlineVector {
 public:
  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  T& operator[](size_t i) { return i < N ? here_[i] : (*more_)[i - N]; }
  const T& operator[](size_t i) const { return i < N ? here_[i] : (*more_)[i - N]; }
  T& back() { return (*this)[size_ - 1]; }
  /// A new last element, default-constructed.
  T& add() {
    if (size_ < N) return here_[size_++];
    if (!more_) more_ = std::make_unique<std::vector<T>>();
    more_->emplace_back();
    ++size_;
    return more_->back();
  }
  void push_back(T v) { add() = std::move(v); }
  void clear() {
    for (size_t i = 0; i < size_ && i < N; ++i) here_[i] = T();
    more_.reset();
    size_ = 0;
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
  std::unique_ptr<std::vector<T>> more_;
};

}  // namespace facula
