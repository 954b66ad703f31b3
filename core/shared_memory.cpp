#include "core/shared_memory.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "core/error.h"

namespace facula {

[[noreturn]] static void fail_for(size_t bytes, int error_number) {
  throw OutOfMemory(text(bytes, " bytes of shared memory cannot be had (", std::strerror(error_number), ")"));
}

// memfd_create needs no /dev/shm. What ftruncate alone promises may be missing when it is touched, a SIGBUS; fallocate
// says so now.
SharedMemory::SharedMemory(size_t bytes)
    : bytes_(std::max<size_t>(bytes, 1)), descriptor_(memfd_create("facula", MFD_CLOEXEC)) {
  if (descriptor_ < 0) fail_for(bytes, errno);
  int failed;
  do failed = fallocate(descriptor_, 0, 0, static_cast<off_t>(bytes_));
  while (failed && errno == EINTR);
  if (failed) {
    const int why = errno;
    close_descriptor();
    fail_for(bytes, why);
  }
  map(0);
}

SharedMemory::SharedMemory(int descriptor, size_t bytes) : bytes_(bytes), descriptor_(descriptor) {
  map(MAP_POPULATE);
  close_descriptor();
}

void SharedMemory::write(size_t place, const void* bytes, size_t count) {
  const char* from = static_cast<const char*>(bytes);
  while (descriptor_ >= 0 && count > 0) {
    const ssize_t n = pwrite(descriptor_, from, count, static_cast<off_t>(place));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) break;
    from += n;
    place += static_cast<size_t>(n);
    count -= static_cast<size_t>(n);
  }
  if (count == 0) return;
  populate();
  std::memcpy(data_ + place, from, count);
}

// Before Linux 5.14 pages come one by one.
void SharedMemory::populate() {
  constexpr int kPopulateForWriting = 23;
  if (!std::exchange(is_populated_, true)) madvise(data_, bytes_, kPopulateForWriting);
}

void SharedMemory::map(int flags) {
  void* const p = mmap(nullptr, bytes_, PROT_READ | PROT_WRITE, MAP_SHARED | flags, descriptor_, 0);
  if (p == MAP_FAILED) {
    const int why = errno;
    close_descriptor();
    fail_for(bytes_, why);
  }
  data_ = static_cast<char*>(p);
  is_populated_ = flags == MAP_POPULATE;
}

SharedMemory::~SharedMemory() {
  if (data_) munmap(data_, bytes_);
  close_descriptor();
}

void SharedMemory::close_descriptor() {
  if (descriptor_ >= 0) close(descriptor_);
  descriptor_ = -1;
}

}  // namespace facula
