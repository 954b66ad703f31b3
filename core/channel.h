// Messages between a process and its child, through memory that both see.
//
// Note [Slots]
// A message lies in a slot, shared memory of the sender's; the socket beside it says only in which. What the receiver makes of
// it may look into the slot. When the last of that is gone, the slot's flag, which both see, is cleared, and the sender fills
// it again: after a few messages no memory is asked for, mapped or cleared any more. Short messages go through the socket. A receiver that keeps very many makes the
// sender run out of slots; then memory comes for a single message, which the receiver copies.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/shared_memory.h"

namespace facula {

/// What is sent: runs of bytes, each aligned to 64 in the message.
class Parcel {
 public:
  /// The bytes must stay where they are until they are sent. Returns their place in the message.
  size_t add(const void* bytes, size_t count);
  size_t size() const { return size_; }
  /// Place of the last run.
  size_t last() const;
  void write(char* to) const;
  void write(SharedMemory& to) const;  ///< which is as large

 private:
  struct Run {
    const void* bytes;
    size_t count, place;
  };
  std::vector<Run> runs_;
  size_t size_ = 0;
};

/// What arrived.
struct Delivery {
  std::shared_ptr<const void> lease;  ///< the bytes stay as they are while it lives
  char* bytes = nullptr;
  size_t size = 0, last = 0;  ///< of the message; place of the last run
  bool lasting = false;       ///< may be kept for as long as one likes
};

/// One end of a connection.
class Channel {
 public:
  enum class Status { Message, Closed, TimedOut };
  static constexpr int kSlots = 256;
  /// Messages of so many bytes need no slot. Sockets hold at least 64 of them.
  static constexpr size_t kShort = 1024;

  /// What two ends need, made before there is a second process.
  struct Connection {
    explicit Connection(const char* operation);
    ~Connection();
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    void close();

    int sockets[2];  // -1 when an end has taken it
    std::shared_ptr<SharedMemory> flags;
  };

  /// End 0 or 1, each in the process that uses it; there the connection is used up.
  Channel(Connection& connection, int end);
  /// End 1 in a program that was started with both descriptors.
  Channel(int socket, int flags);
  ~Channel();
  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;

  /// False if the other end is gone. Errors: no memory.
  bool send(const Parcel& parcel);
  /// Waits for at most so many seconds, without end if negative. Throws Interrupted.
  Status receive(Delivery& delivery, double seconds);
  /// The other end's next `receive` finds it closed.
  void close();

  /// In a forked child: closes the parent's other connections, so that their other ends notice when the parent closes them.
  static void close_inherited(const Connection& but);

 private:
  struct Header;
  using Flag = std::atomic<uint32_t>;

  Flag* flag(int end, int slot) const;
  int take_slot(size_t bytes);
  bool send_short(const Parcel& parcel);
  bool post(Header header, std::string content, int descriptor);
  Status wait(double seconds);
  std::shared_ptr<SharedMemory> memory_of(const Header& header, int descriptor);

  pid_t process_;
  int socket_, end_;
  std::shared_ptr<SharedMemory> flags_;
  std::vector<std::shared_ptr<SharedMemory>> sent_, received_;  // by slot
};

}  // namespace facula
