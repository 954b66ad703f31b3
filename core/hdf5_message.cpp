#include "core/hdf5_message.h"

#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>

#include "core/iterator.h"
#include "core/mapped_file.h"
#include "core/parallel.h"

namespace facula::hdf5 {
namespace {

// In steps, for an interrupt may come just before the wait begins.
void wait_for(int socket, short what) {
  constexpr int kStep = 100;  // milliseconds
  pollfd waiting{socket, what, 0};
  do {
    if (interrupt_requested()) throw Interrupted();
  } while (poll(&waiting, 1, kStep) <= 0);
}

// Moves all of the bytes by one of the two functions; false if the other end is gone.
template <class Byte>
bool move_all(int socket, Byte* bytes, size_t count, short what, ssize_t (*move)(int, Byte*, size_t)) {
  while (count > 0) {
    wait_for(socket, what);
    const ssize_t n = move(socket, bytes, count);
    if (n < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (n <= 0) return false;
    bytes += n;
    count -= static_cast<size_t>(n);
  }
  return true;
}

bool send_all(int socket, const char* bytes, size_t count) {
  return move_all<const char>(socket, bytes, count, POLLOUT, [](int s, const char* from, size_t n) {
    return ::send(s, from, n, MSG_NOSIGNAL | MSG_DONTWAIT);
  });
}

bool receive_all(int socket, char* bytes, size_t count) {
  return move_all<char>(socket, bytes, count, POLLIN,
                        [](int s, char* to, size_t n) { return ::recv(s, to, n, MSG_DONTWAIT); });
}

}  // namespace

// ---- sending ----

void Outgoing::put(int64_t n) { bytes_.append(reinterpret_cast<const char*>(&n), sizeof n); }

void Outgoing::put(const std::string& s) {
  put(static_cast<int64_t>(s.size()));
  bytes_ += s;
}

void Outgoing::put(const Sizes& sizes) { put(std::vector<int64_t>(sizes.begin(), sizes.end())); }

void Outgoing::put(const Range& range) {
  for (const int64_t n : {range.start, range.count, range.step}) put(n);
}

void Outgoing::put(const Storage& storage) {
  put(storage.chunks);
  put(int64_t{storage.compression});
}

void Outgoing::put(const About& about) {
  put(about.is_group);
  put(about.sizes);
  put(about.dtype ? int64_t{static_cast<uint8_t>(*about.dtype)} : -1);
}

void Outgoing::put(const Value& value) {
  put(value.numbers.defined());
  if (value.numbers.defined()) {
    tensors_.push_back(dense_on_host(value.numbers));
    put(value.numbers.sizes());
    put(int64_t{static_cast<uint8_t>(value.numbers.dtype())});
  } else {
    put(value.texts);
    put(value.sizes);
  }
}

bool Outgoing::send(int socket) const {
  const uint64_t size = bytes_.size();
  if (!send_all(socket, reinterpret_cast<const char*>(&size), sizeof size)) return false;
  if (!send_all(socket, bytes_.data(), bytes_.size())) return false;
  for (const Tensor& x : tensors_)
    if (!send_all(socket, x.bytes(), byte_count(x))) return false;
  return true;
}

// ---- receiving ----

bool Incoming::receive(int socket) {
  uint64_t size = 0;
  if (!receive_all(socket, reinterpret_cast<char*>(&size), sizeof size)) return false;
  constexpr uint64_t kPiece = 1 << 20;  // as much as there is, not as much as is said
  socket_ = socket;
  bytes_.clear();
  at_ = 0;
  while (bytes_.size() < size) {
    const size_t had = bytes_.size(), more = std::min(kPiece, size - had);
    bytes_.resize(had + more);
    if (!receive_all(socket, bytes_.data() + had, more)) return false;
  }
  return true;
}

void Incoming::valid(bool good) const {
  check(good, "hdf5: '", path_, "' is damaged: the process of libhdf5 says what makes no sense");
}

const char* Incoming::take(size_t n) {
  valid(n <= bytes_.size() - at_);
  at_ += n;
  return bytes_.data() + at_ - n;
}

size_t Incoming::count() { return static_cast<size_t>(get<int64_t>()); }

void Incoming::get(int64_t& n) { std::memcpy(&n, take(sizeof n), sizeof n); }

void Incoming::get(std::string& s) {
  const size_t n = count();
  s.assign(take(n), n);
}

void Incoming::get(Sizes& sizes) {
  const auto list = get<std::vector<int64_t>>();
  sizes = Sizes(list.begin(), list.end());
}

void Incoming::get(Range& range) {
  for (int64_t* const n : {&range.start, &range.count, &range.step}) get(*n);
}

void Incoming::get(Storage& storage) {
  get(storage.chunks);
  storage.compression = static_cast<int>(get<int64_t>());
}

void Incoming::get(OptDType& dtype) {
  const auto n = get<int64_t>();
  valid(n >= -1 && n < kDTypes);
  if (n >= 0) dtype = static_cast<DType>(n);
}

void Incoming::get(About& about) {
  get(about.is_group);
  get(about.sizes);
  get(about.dtype);
}

void Incoming::get(Tensor& x) {
  const auto sizes = get<Sizes>();
  const auto dtype = get<OptDType>();
  valid(dtype && sizes.size() <= kMaxDims);
  x = empty(sizes, *dtype);
  valid(receive_all(socket_, x.bytes(), byte_count(x)));
}

void Incoming::get(Value& value) {
  if (get<bool>()) return get(value.numbers);
  get(value.texts);
  get(value.sizes);
  valid(static_cast<int64_t>(value.texts.size()) == numel_of(value.sizes));
}

}  // namespace facula::hdf5
