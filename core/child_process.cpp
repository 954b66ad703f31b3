#include "core/child_process.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <thread>

#include "core/error.h"

extern char** environ;

namespace facula {
namespace {

// The system's own signal comes when the thread that made the child ends. This is a thread that waits for the process's end.
// False before Linux 5.3.
bool watch(pid_t parent) {
  const int process = static_cast<int>(syscall(SYS_pidfd_open, parent, 0));
  if (process < 0) return false;
  if (getppid() != parent) _exit(0);
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);  // signals are for the thread that works
  std::thread([process] {
    pollfd end{process, POLLIN, 0};
    while (poll(&end, 1, -1) != 1) {
    }
    _exit(0);
  }).detach();
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return true;
}

void end_with_thread_of(pid_t parent) {
  if (prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && getppid() != parent) _exit(0);
}

}  // namespace

void ChildProcess::attach_to_parent(pid_t parent) {
  std::signal(SIGINT, SIG_IGN);
  if (!watch(parent)) end_with_thread_of(parent);
}

ChildProcess::ChildProcess(const char* operation, FunctionRef<int()> body) : parent_(getpid()) {
  std::fflush(nullptr);  // what is still in there would be written twice
  const bool on_main_thread = gettid() == parent_;
  id_ = fork();
  check(id_ >= 0, operation, ": no process can be started (", std::strerror(errno), ")");
  if (id_ > 0) return;
  int code = 1;
  try {
    std::signal(SIGINT, SIG_IGN);
    if (on_main_thread)
      end_with_thread_of(parent_);
    else
      watch(parent_);  // or the end of the connection has to do
    set_num_threads(1);
    code = body();
  } catch (const std::exception& e) {
    std::fprintf(stderr, "facula: %s\n", e.what());
  }
  std::fflush(nullptr);
  _exit(code);
}

ChildProcess::ChildProcess(const char* operation, const std::vector<std::string>& command,
                           const std::vector<int>& descriptors)
    : parent_(getpid()) {
  std::vector<char*> arguments;
  for (const std::string& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  // First out of each other's way, then to their places.
  std::vector<int> copies;
  int failed = 0;
  for (const int d : descriptors) {
    copies.push_back(fcntl(d, F_DUPFD_CLOEXEC, 32));
    if (copies.back() < 0) failed = errno;
  }
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  int place = 3;
  for (const int d : copies) posix_spawn_file_actions_adddup2(&actions, d, place++);
  if (!failed) failed = posix_spawnp(&id_, arguments[0], &actions, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  for (const int d : copies)
    if (d >= 0) close(d);
  check(failed == 0, operation, ": '", command[0], "' cannot be started (", std::strerror(failed), ")");
}

// Inherited by a child of the parent's, the object stands for nothing there.
ChildProcess::~ChildProcess() {
  if (getpid() == parent_) end(0);
}

bool ChildProcess::has_ended(int flags) {
  if (ended_) return true;
  int status = 0;
  pid_t found;
  do found = waitpid(id_, &status, flags);
  while (found < 0 && errno == EINTR);
  if (found == 0) return false;
  if (found == id_) status_ = status;  // a host that ignores SIGCHLD has the system forget it
  ended_ = true;
  return true;
}

void ChildProcess::end(double seconds) {
  using Clock = std::chrono::steady_clock;
  const auto deadline = Clock::now() + std::chrono::duration<double>(seconds);
  while (!has_ended(WNOHANG)) {
    if (Clock::now() >= deadline) {
      kill(id_, SIGKILL);
      has_ended(0);
      return;
    }
    std::this_thread::sleep_for(std::chrono::microseconds(200));
  }
}

std::string ChildProcess::fate() {
  end(2);
  if (status_ == -1) return "is gone";
  if (WIFSIGNALED(status_))
    return text("was killed by signal ", WTERMSIG(status_), " (", strsignal(WTERMSIG(status_)), ")");
  return text("ended with exit code ", WEXITSTATUS(status_));
}

}  // namespace facula
