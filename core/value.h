// Arguments and results of operators, of any type that a schema can name.
#pragma once

#include <cstddef>
#include <new>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "core/generator.h"
#include "core/tensor.h"

namespace facula {

/// One argument or result. Empty stands for "not given" and for None. Numbers are Scalars; lists of optional tensors hold
/// undefined ones where nothing was given.
class Value {
 public:
  using Payload = std::variant<std::monostate, Tensor, Scalar, IntList, Tensors, DType, Device, Ref<Generator>,
                               std::string, std::vector<double>>;

  Value() : payload_() {}
  Value(const Value& other) : payload_(other.payload_) {}
  Value(Value&& other) noexcept : payload_(std::move(other.payload_)) {}
  Value& operator=(const Value& other) {
    payload_ = other.payload_;
    return *this;
  }
  Value& operator=(Value&& other) noexcept {
    payload_ = std::move(other.payload_);
    return *this;
  }
  ~Value() {  // of the sixteen in a call most are empty, numbers or tensors
    if (is<Tensor>())
      get<Tensor>().~Tensor();
    else if (!is_none() && !is<Scalar>())
      payload_.~variant();
  }
  Value(Tensor t) {
    if (t.defined())
      new (&payload_) Payload(std::move(t));
    else
      new (&payload_) Payload();
  }
  Value(Scalar s) : payload_(s) {}
  Value(bool v) : Value(Scalar(v)) {}
  Value(int v) : Value(Scalar(v)) {}
  Value(int64_t v) : Value(Scalar(v)) {}
  Value(double v) : Value(Scalar(v)) {}
  Value(IntList list) : payload_(std::move(list)) {}
  Value(std::initializer_list<int64_t> list) : payload_(IntList(list)) {}
  Value(Tensors list) : payload_(std::move(list)) {}
  Value(std::initializer_list<Tensor> list) : payload_(Tensors(list)) {}
  Value(DType t) : payload_(t) {}
  Value(Device d) : payload_(d) {}
  Value(Ref<Generator> g) : payload_(std::move(g)) {}
  Value(std::string s) : payload_(std::move(s)) {}
  Value(const char* s) : payload_(std::string(s)) {}
  Value(std::vector<double> list) : payload_(std::move(list)) {}
  template <class T>
  Value(const std::optional<T>& v) : Value() {
    if (v) *this = Value(*v);
  }

  /// Holds a tensor that somebody else keeps alive, uncounted: counting costs as much as a small kernel. Only for a value
  /// that is none, and is never destroyed.
  void borrow(const Tensor& t) { new (&payload_) Payload(Tensor(Ref<TensorImpl>::adopt(t.impl()))); }

  bool is_none() const { return payload_.index() == 0; }
  template <class T>
  bool is() const {
    return std::holds_alternative<T>(payload_);
  }
  template <class T>
  const T& get() const {
    return *std::get_if<T>(&payload_);
  }
  template <class T>
  T& get() {
    return *std::get_if<T>(&payload_);
  }
  const Payload& payload() const { return payload_; }

 private:
  union {
    Payload payload_;
  };
};

inline constexpr int kMaxArguments = 16;
inline constexpr int kMaxResults = 4;

/// What an operator returns: one to four values.
class Results {
 public:
  Results() = default;
  Results(const Results& other) { *this = other; }
  Results& operator=(const Results& other) {
    if (this == &other) return *this;
    clear();
    for (int i = 0; i < other.size_; ++i) push(other[i]);
    return *this;
  }
  ~Results() { clear(); }

  int size() const { return size_; }
  Value& operator[](int i) { return values()[i]; }
  const Value& operator[](int i) const { return const_cast<Results*>(this)->values()[i]; }
  const Tensor& tensor(int i = 0) const { return (*this)[i].get<Tensor>(); }
  template <class T>
  void push(T&& v) {
    new (values() + size_++) Value(std::forward<T>(v));
  }

 private:
  Value* values() { return reinterpret_cast<Value*>(room_); }
  void clear() {
    while (size_ > 0) values()[--size_].~Value();
  }

  int size_ = 0;
  alignas(Value) std::byte room_[kMaxResults * sizeof(Value)];  // values are made as they come
};

using OptScalar = std::optional<Scalar>;
using OptInt = std::optional<int64_t>;
using OptDouble = std::optional<double>;
using OptInts = std::optional<IntList>;
using OptDevice = std::optional<Device>;
using OptString = std::optional<std::string>;

/// A value as the C++ type of a parameter. None becomes an undefined Tensor, an empty optional, or the default generator.
template <class T>
struct FromValue;
template <>
struct FromValue<Tensor> {
  static Tensor get(const Value& v) { return v.is<Tensor>() ? v.get<Tensor>() : Tensor(); }
};
template <class T>
requires std::is_arithmetic_v<T>
struct FromValue<T> {
  static T get(const Value& v) { return v.get<Scalar>().to<T>(); }
};
template <>
struct FromValue<Ref<Generator>> {
  static Ref<Generator> get(const Value& v) { return v.is_none() ? default_generator() : v.get<Ref<Generator>>(); }
};
template <class T>
struct FromValue {
  static const T& get(const Value& v) { return v.get<T>(); }
};
template <class T>
struct FromValue<std::optional<T>> {
  static std::optional<T> get(const Value& v) {
    if (v.is_none()) return std::nullopt;
    return FromValue<T>::get(v);
  }
};

std::ostream& operator<<(std::ostream& out, const Value& v);

}  // namespace facula
