// What goes between a file's process and its users': arguments, results, and the elements of tensors, through a socket.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/hdf5_file.h"

namespace facula::hdf5 {

/// A message that is put together, part by part.
class Outgoing {
 public:
  void put(int64_t n);
  void put(bool b) { put(int64_t{b}); }
  void put(const std::string& s);
  void put(const Sizes& sizes);
  void put(const Range& range);
  void put(const Storage& storage);
  void put(const About& about);
  /// Tensors must stay as they are until the message is sent.
  void put(const Value& value);
  template <class T>
  void put(const std::vector<T>& list) {
    put(static_cast<int64_t>(list.size()));
    for (const T& item : list) put(item);
  }
  template <class T>
  void put(const std::optional<T>& item) {
    put(item.has_value());
    if (item) put(*item);
  }

  /// False if nobody is there to receive. Throws Interrupted.
  bool send(int socket) const;

 private:
  std::string bytes_;
  Tensors tensors_;  // whose elements follow
};

/// A message that is taken apart, in the same order. The other process may have gone mad: errors of what makes no sense, which
/// name the file.
class Incoming {
 public:
  explicit Incoming(std::string path) : path_(std::move(path)) {}

  /// Waits for a message. False if none will come. Throws Interrupted.
  bool receive(int socket);
  template <class T>
  T get() {
    T value{};
    get(value);
    return value;
  }

 private:
  void get(int64_t& n);
  void get(bool& b) { b = get<int64_t>() != 0; }
  void get(std::string& s);
  void get(Sizes& sizes);
  void get(Range& range);
  void get(Storage& storage);
  void get(OptDType& dtype);
  void get(About& about);
  void get(Value& value);
  void get(Tensor& x);
  template <class T>
  void get(std::vector<T>& list) {
    for (size_t n = count(); list.size() < n;) list.push_back(get<T>());
  }
  template <class T>
  void get(std::optional<T>& item) {
    if (get<bool>()) item = get<T>();
  }
  size_t count();
  const char* take(size_t n);
  void valid(bool good) const;

  std::string path_;
  int socket_ = -1;
  std::string bytes_;
  size_t at_ = 0;
};

}  // namespace facula::hdf5
