#include "core/channel.h"

#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <mutex>

#include "core/error.h"
#include "core/parallel.h"

namespace facula {
namespace {

// The sockets of this process's connections, for its children to close.
std::mutex list_mutex;
std::vector<int>& open_sockets() {
  static auto* list = [] {
    pthread_atfork([] { list_mutex.lock(); }, [] { list_mutex.unlock(); }, [] { list_mutex.unlock(); });
    return new std::vector<int>;
  }();
  return *list;
}

void enter(int socket) {
  auto& list = open_sockets();
  const std::lock_guard lock(list_mutex);
  list.push_back(socket);
}

void close_listed(int socket) {
  auto& list = open_sockets();
  const std::lock_guard lock(list_mutex);
  std::erase(list, socket);
  close(socket);
}

size_t aligned(size_t n) { return (n + 63) / 64 * 64; }

// Frees the slot with the last look into it. In a child that inherited it, it means nothing.
class Lease {
 public:
  Lease(std::shared_ptr<SharedMemory> memory, std::shared_ptr<SharedMemory> flags, std::atomic<uint32_t>* busy)
      : memory_(std::move(memory)), flags_(std::move(flags)), busy_(busy), process_(getpid()) {}
  ~Lease() {
    if (busy_ && getpid() == process_) busy_->store(0, std::memory_order_release);
  }
  Lease(const Lease&) = delete;
  Lease& operator=(const Lease&) = delete;

 private:
  std::shared_ptr<SharedMemory> memory_, flags_;
  std::atomic<uint32_t>* busy_;
  pid_t process_;
};

}  // namespace

struct Channel::Header {
  uint64_t capacity, size, last;
  int32_t slot;  // or one of these
  enum { kTransient = -1, kInSocket = -2 };
};

size_t Parcel::add(const void* bytes, size_t count) {
  const size_t place = aligned(size_);
  runs_.push_back({bytes, count, place});
  size_ = place + count;
  return place;
}

void Parcel::write(char* to) const {
  for (const Run& run : runs_)
    if (run.count) std::memcpy(to + run.place, run.bytes, run.count);
}

void Parcel::write(SharedMemory& to) const {
  for (const Run& run : runs_)
    if (run.count) to.write(run.place, run.bytes, run.count);
}

size_t Parcel::last() const { return runs_.empty() ? 0 : runs_.back().place; }

Channel::Connection::Connection(const char* operation)
    : flags(std::make_shared<SharedMemory>(2 * kSlots * sizeof(Flag))) {
  check(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets) == 0, operation, ": no sockets can be had (",
        std::strerror(errno), ")");
  for (const int socket : sockets) enter(socket);
}

Channel::Connection::~Connection() { close(); }

void Channel::Connection::close() {
  for (int& socket : sockets)
    if (socket >= 0) close_listed(std::exchange(socket, -1));
  flags->close_descriptor();
}

Channel::Channel(Connection& connection, int end)
    : process_(getpid()),
      socket_(std::exchange(connection.sockets[end], -1)),
      end_(end),
      flags_(connection.flags),
      sent_(kSlots),
      received_(kSlots) {
  connection.close();
}

Channel::Channel(int socket, int flags)
    : process_(getpid()),
      socket_(socket),
      end_(1),
      flags_(std::make_shared<SharedMemory>(flags, 2 * kSlots * sizeof(Flag))),
      sent_(kSlots),
      received_(kSlots) {
  enter(socket);
}

Channel::~Channel() { close(); }

// In a child that inherited it, the number may be another file's.
void Channel::close() {
  if (socket_ >= 0 && process_ == getpid()) close_listed(std::exchange(socket_, -1));
}

void Channel::close_inherited(const Connection& but) {
  auto& list = open_sockets();
  const std::lock_guard lock(list_mutex);
  for (const int socket : list)
    if (socket != but.sockets[0] && socket != but.sockets[1]) ::close(socket);
  list.assign(std::begin(but.sockets), std::end(but.sockets));
}

Channel::Flag* Channel::flag(int end, int slot) const {
  return reinterpret_cast<Flag*>(flags_->data()) + end * kSlots + slot;
}

// A free slot with memory for so many bytes: the smallest, or one that gets new memory; -1 if all are taken.
int Channel::take_slot(size_t bytes) {
  int best = -1, replaceable = -1;
  for (int slot = 0; slot < kSlots; ++slot) {
    if (flag(end_, slot)->load(std::memory_order_acquire)) continue;
    const SharedMemory* memory = sent_[slot].get();
    if (!memory || memory->bytes() < bytes) {
      if (replaceable < 0) replaceable = slot;
      if (!memory) break;  // so are those behind it
    } else if (best < 0 || memory->bytes() < sent_[best]->bytes()) {
      best = slot;
    }
  }
  return best >= 0 ? best : replaceable;
}

bool Channel::send(const Parcel& parcel) {
  if (socket_ < 0) return false;
  if (parcel.size() <= kShort) return send_short(parcel);
  const int slot = take_slot(parcel.size());
  std::shared_ptr<SharedMemory> memory = slot < 0 ? nullptr : sent_[slot];
  int descriptor = -1;
  if (!memory || memory->bytes() < parcel.size()) {
    if (slot >= 0) sent_[slot] = nullptr;
    memory = std::make_shared<SharedMemory>(parcel.size());
    descriptor = memory->descriptor();
    if (slot >= 0) sent_[slot] = memory;
  }
  parcel.write(*memory);
  if (slot >= 0) flag(end_, slot)->store(1, std::memory_order_release);
  const bool sent = post({memory->bytes(), parcel.size(), parcel.last(), slot}, {}, descriptor);
  memory->close_descriptor();
  return sent;
}

bool Channel::send_short(const Parcel& parcel) {
  std::string content(parcel.size(), '\0');
  parcel.write(content.data());
  return post({0, parcel.size(), parcel.last(), Header::kInSocket}, content, -1);
}

namespace {

/// A message of a socket: a header, a short message, and room for one descriptor.
template <class Header>
struct Packet {
  Packet(Header& header, std::string& content) : places{{&header, sizeof(Header)}, {content.data(), content.size()}} {
    message.msg_iov = places;
    message.msg_iovlen = 2;
  }
  Packet(const Packet&) = delete;
  Packet& operator=(const Packet&) = delete;

  void allow_descriptor() {
    message.msg_control = room;
    message.msg_controllen = sizeof room;
  }
  void attach(int descriptor) {
    allow_descriptor();
    cmsghdr* const c = CMSG_FIRSTHDR(&message);
    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_RIGHTS;
    c->cmsg_len = CMSG_LEN(sizeof descriptor);
    std::memcpy(CMSG_DATA(c), &descriptor, sizeof descriptor);
  }
  int attached() {
    int descriptor = -1;
    const cmsghdr* const c = CMSG_FIRSTHDR(&message);
    if (c && c->cmsg_type == SCM_RIGHTS) std::memcpy(&descriptor, CMSG_DATA(c), sizeof descriptor);
    return descriptor;
  }

  iovec places[2];
  msghdr message{};
  alignas(cmsghdr) char room[CMSG_SPACE(sizeof(int))] = {};
};

}  // namespace

bool Channel::post(Header header, std::string content, int descriptor) {
  Packet packet(header, content);
  if (descriptor >= 0) packet.attach(descriptor);
  ssize_t n;
  do n = sendmsg(socket_, &packet.message, MSG_NOSIGNAL);
  while (n < 0 && errno == EINTR);
  return n == static_cast<ssize_t>(sizeof header + content.size());
}

// In steps, for an interrupt may come just before the wait begins.
Channel::Status Channel::wait(double seconds) {
  using Clock = std::chrono::steady_clock;
  constexpr int64_t kStep = 100;  // milliseconds
  const auto begun = Clock::now();
  for (;;) {
    if (interrupt_requested()) throw Interrupted();
    int64_t most = kStep;
    if (seconds >= 0) {
      const double left = seconds - std::chrono::duration<double>(Clock::now() - begun).count();
      if (left <= 0) return Status::TimedOut;
      most = std::min<int64_t>(kStep, static_cast<int64_t>(left * 1000) + 1);
    }
    pollfd waiting{socket_, POLLIN, 0};
    if (poll(&waiting, 1, static_cast<int>(most)) > 0) return Status::Message;
  }
}

Channel::Status Channel::receive(Delivery& delivery, double seconds) {
  if (socket_ < 0) return Status::Closed;
  if (const Status status = wait(seconds); status != Status::Message) return status;
  Header header{};
  const auto content = std::make_shared<std::string>(kShort, '\0');
  Packet packet(header, *content);
  packet.allow_descriptor();
  ssize_t n;
  // A peer that died with messages to read is reported once, before what it had sent.
  do n = recvmsg(socket_, &packet.message, MSG_CMSG_CLOEXEC);
  while (n < 0 && (errno == EINTR || errno == ECONNRESET));
  if (n < static_cast<ssize_t>(sizeof header)) return Status::Closed;
  if (header.slot == Header::kInSocket) {
    check(sizeof header + header.size == static_cast<size_t>(n) && header.last <= header.size, "a message is cut off");
    delivery = {content, content->data(), header.size, header.last, true};
    return Status::Message;
  }
  auto memory = memory_of(header, packet.attached());
  Flag* const busy = header.slot < 0 ? nullptr : flag(1 - end_, header.slot);
  delivery = {nullptr, memory->data(), header.size, header.last, header.slot != Header::kTransient};
  delivery.lease = std::make_shared<Lease>(std::move(memory), flags_, busy);
  return Status::Message;
}

std::shared_ptr<SharedMemory> Channel::memory_of(const Header& header, int descriptor) {
  const bool known = header.slot >= 0 && header.slot < kSlots;
  std::shared_ptr<SharedMemory> memory;
  if (descriptor >= 0) {
    memory = std::make_shared<SharedMemory>(descriptor, header.capacity);
    if (known) received_[header.slot] = memory;
  } else if (known) {
    memory = received_[header.slot];
  }
  check(memory && memory->bytes() >= header.size && header.last <= header.size, "a message came without its memory");
  return memory;
}

}  // namespace facula
