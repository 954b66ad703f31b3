#include "core/hdf5_client.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <string_view>
#include <tuple>
#include <type_traits>

#include "core/child_process.h"
#include "core/context.h"
#include "core/hdf5_library.h"
#include "core/hdf5_message.h"

namespace facula::hdf5 {
namespace {

// ---- calls of File's methods from another process ----

using Answer = void (*)(File&, Incoming&, Outgoing&);

template <auto method>
struct Remote;
template <class R, class... A, R (File::*method)(A...)>
struct Remote<method> {
  using Result = R;

  /// Takes the arguments out of a message, calls, and puts the result into another, or the error.
  static void answer(File& file, [[maybe_unused]] Incoming& in, Outgoing& out) {
    std::tuple<std::decay_t<A>...> arguments{in.get<std::decay_t<A>>()...};
    const auto call = [&](const auto&... a) { return (file.*method)(a...); };
    try {
      if constexpr (std::is_void_v<R>) {
        std::apply(call, arguments);
        out.put(true);
      } else {
        const R result = std::apply(call, arguments);
        out.put(true);
        out.put(result);
      }
    } catch (const std::exception& e) {
      out = Outgoing();
      out.put(false);
      out.put(std::string(e.what()));
    }
  }
};

// ---- the child ----

constexpr int64_t kMemory = int64_t{1} << 30, kInflation = 1032;  // zlib's technical notes
constexpr int64_t kSeconds = 2, kBytesPerSecond = int64_t{256} << 10;

void set_limit(decltype(RLIMIT_CPU) what, int64_t most) {
  rlimit limit{};
  getrlimit(what, &limit);
  limit.rlim_cur = std::min(limit.rlim_max, static_cast<rlim_t>(most));
  setrlimit(what, &limit);
}

// What this process has in data already: the sixth number, in pages.
int64_t data_bytes() {
  std::ifstream file("/proc/self/statm");
  int64_t pages = 0;
  for (int i = 0; i < 6; ++i) file >> pages;
  return pages * sysconf(_SC_PAGESIZE);
}

// For the next request; in whole seconds, as the system counts.
void limit_time(int64_t file_bytes) {
  rusage used{};
  getrusage(RUSAGE_SELF, &used);
  const int64_t begun = (used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1'000'000 + 1;
  set_limit(RLIMIT_CPU, used.ru_utime.tv_sec + used.ru_stime.tv_sec + begun + kSeconds + file_bytes / kBytesPerSecond);
}

// Who waits for the end of a pipe of the parent's must not wait for this process. Children watch their parent's end by
// descriptors of processes, which stay.
void close_all_but(int first, int second) {
  const std::string folder = "/proc/self/fd/";
  std::vector<int> others;
  DIR* const list = opendir(folder.c_str());
  while (const dirent* const entry = list ? readdir(list) : nullptr) {
    char target[PATH_MAX] = {};
    const int descriptor = std::atoi(entry->d_name);
    if (descriptor <= STDERR_FILENO || descriptor == first || descriptor == second || descriptor == dirfd(list) ||
        readlink((folder + entry->d_name).c_str(), target, sizeof target - 1) < 0)
      continue;
    if (std::string_view(target) != "anon_inode:[pidfd]") others.push_back(descriptor);
  }
  if (list) closedir(list);
  for (const int descriptor : others) ::close(descriptor);
  const int nothing = open("/dev/null", O_RDWR);
  for (const int descriptor : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) dup2(nothing, descriptor);
}

struct Opening {
  std::string path, place;  // as messages have it, and where it is
  Mode mode;
  int64_t bytes;
};

int serve(int socket, const Opening& opening) {
  clear_interrupt();
  for (const int crash : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGXCPU}) std::signal(crash, SIG_DFL);
  set_limit(RLIMIT_CORE, 0);
  if (opening.mode == Mode::Read) set_limit(RLIMIT_DATA, data_bytes() + kMemory + kInflation * opening.bytes);
  const auto limit = [&] {
    if (opening.mode != Mode::Write) limit_time(opening.bytes);
  };
  limit();
  std::unique_ptr<File> file;
  Outgoing opened;
  try {
    file = std::make_unique<File>(opening.path, opening.place, opening.mode, opening.bytes);
    opened.put(true);
  } catch (const std::exception& e) {
    opened.put(false);
    opened.put(std::string(e.what()));
  }
  if (!opened.send(socket) || !file) return 0;
  for (Incoming in(opening.path); in.receive(socket);) {
    limit();
    Outgoing out;
    reinterpret_cast<Answer>(in.get<int64_t>())(*file, in, out);
    if (!out.send(socket)) return 0;
  }
  return 0;
}

void copy_file(const InputFile& from, const std::string& path, Replacement& to) {
  constexpr uint64_t kPiece = uint64_t{1} << 20;
  std::string piece(kPiece, '\0');
  for (uint64_t at = 0, size = static_cast<uint64_t>(from.size()); at < size;) {
    const uint64_t n = std::min(kPiece, size - at);
    check(from.read(at, n, piece.data()), "hdf5.open: cannot read '", path, "'");
    to.write(piece.data(), n);
    at += n;
  }
}

/// Two sockets that are connected; what is left of them is closed.
struct Sockets {
  Sockets() {
    check(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0, "hdf5.open: no sockets can be had (",
          std::strerror(errno), ")");
  }
  ~Sockets() {
    for (const int end : ends)
      if (end >= 0) ::close(end);
  }
  Sockets(const Sockets&) = delete;
  Sockets& operator=(const Sockets&) = delete;

  int ends[2] = {-1, -1};
};

}  // namespace

// ---- the parent ----

class Client::Process {
 public:
  Process(const Opening& opening, int descriptor)
      : owner_(getpid()), child_("hdf5.open", [&] {
          close_all_but(sockets_.ends[1], descriptor);
          return serve(sockets_.ends[1], opening);
        }) {
    ::close(std::exchange(sockets_.ends[1], -1));
  }

  int socket() const { return sockets_.ends[0]; }
  bool is_own() const { return owner_ == getpid(); }
  std::string fate() { return child_.fate(); }

 private:
  pid_t owner_;
  Sockets sockets_;
  ChildProcess child_;
};

Client::Client(const std::string& path, Mode mode) : path_(path), mode_(mode) {
  check(!context().folders, "hdf5.open: not there in a sandbox");
  library();  // so that children need not look for it
  if (mode != Mode::Write) {
    input_ = std::make_unique<InputFile>(path, "hdf5.open");
    bytes_ = input_->size();
  }
  if (mode != Mode::Read) {
    replacement_ = std::make_unique<Replacement>(path, "hdf5.open");
    replacement_->temporary();
    if (mode == Mode::Append) copy_file(*input_, path, *replacement_);
  }
  start();
}

Client::~Client() = default;

void Client::start() {
  const int descriptor = mode_ == Mode::Read ? input_->descriptor() : -1;
  const std::string place =
      mode_ == Mode::Read ? "/proc/self/fd/" + std::to_string(descriptor) : replacement_->temporary();
  process_ = std::make_unique<Process>(Opening{path_, place, mode_, bytes_}, descriptor);
  Incoming opened(path_);
  if (!opened.receive(process_->socket())) fail_dead("open");
  if (!opened.get<bool>()) fail(opened.get<std::string>());
}

void Client::fail_dead(const char* operation) {
  const std::string how = process_->fate();
  process_.reset();
  fail("hdf5.", operation, ": '", path_, "' ", mode_ == Mode::Write ? "cannot be written" : "is damaged",
       ": the process of libhdf5 ", how);
}

template <auto method, class... Arguments>
auto Client::ask(const char* operation, const Arguments&... arguments) {
  using Call = Remote<method>;
  check(open_, "hdf5.", operation, ": '", path_, "' is closed");
  if (mode_ == Mode::Read && (!process_ || !process_->is_own())) start();
  check(process_ && process_->is_own(), "hdf5.", operation, ": '", path_,
        "' stays as it was: the process that writes it ", process_ ? "is another's" : "is gone");
  Outgoing out;
  out.put(reinterpret_cast<int64_t>(&Call::answer));  // a child has its functions where its parent has them
  (out.put(arguments), ...);
  Incoming in(path_);
  try {
    if (!out.send(process_->socket()) || !in.receive(process_->socket())) fail_dead(operation);
    if (in.get<bool>()) {
      if constexpr (std::is_void_v<typename Call::Result>)
        return;
      else
        return in.get<typename Call::Result>();
    }
  } catch (...) {  // an answer may be left on its way
    process_.reset();
    throw;
  }
  fail(in.get<std::string>());
}

void Client::close() {
  if (!open_) return;
  try {
    if (mode_ != Mode::Read) ask<&File::close>("close");
  } catch (...) {
    open_ = false;
    process_.reset();
    replacement_.reset();
    throw;
  }
  open_ = false;
  process_.reset();
  input_.reset();
  if (const auto replacement = std::move(replacement_)) replacement->commit();
}

About Client::about(const std::string& name, const std::string& operation) {
  return ask<&File::about>(operation.c_str(), name, operation);
}
bool Client::exists(const std::string& name) { return ask<&File::exists>("exists", name); }
std::vector<std::string> Client::keys(const std::string& group) { return ask<&File::keys>("keys", group); }
void Client::make_group(const std::string& name) { ask<&File::make_group>("create_group", name); }
void Client::remove(const std::string& name) { ask<&File::remove>("remove", name); }
Value Client::read(const std::string& name, const std::vector<Range>& ranges) {
  return ask<&File::read>("read", name, ranges);
}
void Client::write(const std::string& name, const Value& value, const Storage& storage) {
  ask<&File::write>("write", name, value, storage);
}
std::vector<std::string> Client::attributes(const std::string& name) {
  return ask<&File::attributes>("attributes", name);
}
std::optional<Value> Client::attribute(const std::string& name, const std::string& key) {
  return ask<&File::attribute>("attribute", name, key);
}
void Client::set_attribute(const std::string& name, const std::string& key, const Value& value) {
  ask<&File::set_attribute>("set_attribute", name, key, value);
}

}  // namespace facula::hdf5
