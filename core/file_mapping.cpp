#include "core/file_mapping.h"

#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <mutex>
#include <utility>

#include "core/error.h"

namespace facula {
namespace {

/// A mapping as the handler of signals sees it, which may not lock.
struct Watch {
  std::atomic<uintptr_t> start{0}, end{0};
  std::atomic<bool> misses_pages{false};
  const FileMapping* owner = nullptr;
};

constexpr size_t kMost = 1000;
Watch watches[kMost];
std::mutex mutex;  // of owners
struct sigaction handler_before;
const auto page_size = static_cast<uintptr_t>(sysconf(_SC_PAGESIZE));

// From the missing page to the end: what is behind it is gone, too.
bool put_zeros(uintptr_t address, uintptr_t end) {
  const int problem = errno;
  const uintptr_t page = address & ~(page_size - 1);
  const void* put = mmap(reinterpret_cast<void*>(page), end - page, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0);
  errno = problem;
  return put != MAP_FAILED;
}

void on_missing_page(int signal, siginfo_t* info, void* context) {
  const auto address = reinterpret_cast<uintptr_t>(info->si_addr);
  for (Watch& w : watches) {
    if (address < w.start || address >= w.end || !put_zeros(address, w.end)) continue;
    w.misses_pages = true;
    detail::pages_are_missing = true;
    return;
  }
  if (handler_before.sa_flags & SA_SIGINFO)
    handler_before.sa_sigaction(signal, info, context);
  else if (handler_before.sa_handler != SIG_DFL && handler_before.sa_handler != SIG_IGN)
    handler_before.sa_handler(signal);
  else
    sigaction(SIGBUS, &handler_before, nullptr);  // it comes again, and ends the process
}

void handle_signals() {
  struct sigaction ours = {};
  ours.sa_sigaction = on_missing_page;
  ours.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART;
  sigaction(SIGBUS, &ours, &handler_before);
}

Watch* watch_of(const FileMapping* owner) {
  const auto w = std::find_if(std::begin(watches), std::end(watches), [&](const Watch& x) { return x.owner == owner; });
  return w == std::end(watches) ? nullptr : w;
}

}  // namespace

FileMapping::FileMapping(int descriptor, size_t size, std::string name) : size_(size), name_(std::move(name)) {
  const std::lock_guard lock(mutex);
  Watch* const w = watch_of(nullptr);
  if (!w) return;
  void* const start = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_NORESERVE, descriptor, 0);
  if (start == MAP_FAILED) return;
  static const bool handles = (handle_signals(), true);
  static_cast<void>(handles);
  start_ = static_cast<char*>(start);
  w->owner = this;
  w->start = reinterpret_cast<uintptr_t>(start);
  w->end = reinterpret_cast<uintptr_t>(start) + size;
}

FileMapping::~FileMapping() {
  if (!good()) return;
  const std::lock_guard lock(mutex);
  Watch& w = *watch_of(this);
  w.end = 0, w.start = 0, w.misses_pages = false, w.owner = nullptr;
  munmap(start_, size_);
}

void detail::fail_for_missing_pages() {
  const std::lock_guard lock(mutex);
  pages_are_missing = false;
  std::string names;
  for (Watch& w : watches)
    if (w.misses_pages.exchange(false)) names += (names.empty() ? "" : ", ") + w.owner->name();
  fail(names.empty() ? "a file" : names, " was cut while tensors lay in it; what was behind its end reads as zeros");
}

}  // namespace facula
