#include "core/channel.h"

#include <doctest/doctest.h>

#include <atomic>
#include <csignal>
#include <cstring>
#include <string>
#include <thread>

#include "core/child_process.h"
#include "core/tensor.h"

using namespace facula;

namespace {

bool send(Channel& channel, const std::string& words) {
  Parcel parcel;
  parcel.add(words.data(), words.size());
  return channel.send(parcel);
}

std::string words_of(const Delivery& d) { return {d.bytes + d.last, d.size - d.last}; }

// A child that answers each message by the same, until there are no more.
int echo(Channel::Connection& connection) {
  Channel::close_inherited(connection);
  Channel channel(connection, 1);
  Delivery delivery;
  while (channel.receive(delivery, -1) == Channel::Status::Message) {
    const std::string words = words_of(delivery);
    delivery = {};
    if (!send(channel, words)) return 1;
  }
  return 7;
}

struct Echo {
  Channel::Connection connection{"test"};
  ChildProcess child{"test", [this] { return echo(connection); }};
  Channel channel{connection, 0};
};

}  // namespace

TEST_CASE("messages go to a child and back, whatever their size") {
  Echo echo;
  for (const size_t size :
       {size_t{0}, size_t{1}, size_t{63}, size_t{1024}, size_t{1025}, size_t{4097}, size_t{3} << 20, size_t{5}}) {
    const std::string words(size, 'x');
    REQUIRE(send(echo.channel, words));
    Delivery delivery;
    REQUIRE(echo.channel.receive(delivery, -1) == Channel::Status::Message);
    CHECK(words_of(delivery) == words);
    CHECK(delivery.lasting);
  }
  echo.channel.close();
  CHECK(echo.child.fate() == "ended with exit code 7");
}

TEST_CASE("runs of a message are aligned") {
  const std::string a = "abc", b = "de";
  Parcel parcel;
  CHECK(parcel.add(a.data(), a.size()) == 0);
  CHECK(parcel.add(b.data(), b.size()) == 64);
  CHECK(parcel.size() == 66);
  CHECK(parcel.last() == 64);
}

TEST_CASE("a receiver may keep more messages than there are slots") {
  Echo echo;
  std::vector<Delivery> kept(Channel::kSlots + 10);
  for (size_t i = 0; i < kept.size(); ++i) {
    REQUIRE(send(echo.channel, std::string(2000 + i, 'x')));
    REQUIRE(echo.channel.receive(kept[i], -1) == Channel::Status::Message);
    CHECK(kept[i].lasting == (i < Channel::kSlots));
  }
  for (size_t i = 0; i < kept.size(); ++i) CHECK(words_of(kept[i]) == std::string(2000 + i, 'x'));
  kept.clear();
  Delivery delivery;
  REQUIRE(send(echo.channel, std::string(2000, 'x')));
  REQUIRE(echo.channel.receive(delivery, -1) == Channel::Status::Message);
  CHECK(delivery.lasting);
}

// The system reports the messages that it never read before those that it sent.
TEST_CASE("what a killed child had said arrives, whatever it had not read") {
  Channel::Connection connection("test");
  ChildProcess child("test", [&] {
    Channel channel(connection, 1);
    Delivery delivery;
    for (int i = 0; i < 2; ++i) channel.receive(delivery, -1);
    send(channel, "last words");
    return static_cast<int>(raise(SIGKILL));
  });
  Channel channel(connection, 0);
  for (int i = 0; i < 8; ++i) REQUIRE(send(channel, "unread"));
  CHECK(child.fate() == "was killed by signal 9 (Killed)");
  Delivery delivery;
  REQUIRE(channel.receive(delivery, -1) == Channel::Status::Message);
  CHECK(words_of(delivery) == "last words");
  CHECK(channel.receive(delivery, -1) == Channel::Status::Closed);
}

TEST_CASE("a child that is killed, and one that says nothing, are noticed") {
  Channel::Connection connection("test");
  ChildProcess child("test", [&] {
    Channel channel(connection, 1);
    Delivery delivery;
    channel.receive(delivery, -1);
    return static_cast<int>(raise(SIGKILL));
  });
  Channel channel(connection, 0);
  Delivery delivery;
  CHECK(channel.receive(delivery, 0.01) == Channel::Status::TimedOut);
  REQUIRE(send(channel, "now"));
  CHECK(channel.receive(delivery, -1) == Channel::Status::Closed);
  CHECK(child.fate() == "was killed by signal 9 (Killed)");
  CHECK_FALSE(send(channel, "anybody there?"));
}

// Sanitizers of GCC 12 do not follow forks of processes whose threads are busy.
#if !defined(__SANITIZE_THREAD__) && !defined(__SANITIZE_ADDRESS__)
TEST_CASE("a child can use tensors, whatever other threads did when it was made") {
  std::atomic<bool> done{false};
  std::thread busy([&] {
    while (!done) {
      empty({512}, DType::Float32);
      empty({1 << 16}, DType::Float32);
    }
  });
  for (int i = 0; i < 50; ++i) {
    ChildProcess child("test", [] {
      for (int k = 0; k < 10; ++k) empty({1 << 16}, DType::Float32);
      parallel_for(1 << 20, 1, [](int64_t, int64_t) {});
      return 3;
    });
    CHECK(child.fate() == "ended with exit code 3");
  }
  done = true;
  busy.join();
}
#endif

TEST_CASE("a program that cannot be started is an error") {
  CHECK_THROWS_WITH_AS(ChildProcess("test", {"/no/such/program"}, {}),
                       "test: '/no/such/program' cannot be started (No such file or directory)", Error);
}
