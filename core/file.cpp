#include "core/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <memory>

#include "core/context.h"
#include "core/error.h"

namespace facula {
namespace {

void check_path(const std::string& path, const char* operation) {
  check(!path.empty(), operation, ": the path is empty");
  check(path.find('\0') == std::string::npos, operation, ": the path has a zero byte in it");
}

// The file that a link leads to, or the path itself.
std::string followed(const std::string& path) {
  const std::unique_ptr<char, decltype(&std::free)> real(realpath(path.c_str(), nullptr), &std::free);
  return real ? real.get() : path;
}

std::string directory_of(const std::string& path) {
  const size_t slash = path.rfind('/');
  return slash == std::string::npos ? "." : path.substr(0, slash + 1);
}

// Within one of the context's folders, whatever links lead there?
void check_access(const std::string& path, const std::string& target, const char* operation) {
  const auto folders = context().folders;
  if (!folders) return;
  const std::string place = followed(directory_of(target)) + '/';
  for (const std::string& folder : *folders)
    if (place.starts_with(followed(folder) + '/')) return;
  fail(operation, ": '", path, "' is outside the folders that this script may use");
}

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }

 private:
  int fd_;
};

// strerror, but safe beside other threads.
std::string reason(int error_number) {
  char buffer[128];
  return strerror_r(error_number, buffer, sizeof buffer);
}

}  // namespace

Replacement::Replacement(std::string path, const char* operation)
    : path_(std::move(path)), target_(followed(path_)), operation_(operation) {
  check_path(path_, operation_);
  check_access(path_, target_, operation_);
  struct stat found;
  if (stat(target_.c_str(), &found) == 0)
    check(S_ISREG(found.st_mode), operation_, ": '", path_, "' exists and is not a plain file");
  // Of a fixed length, because the name itself may be as long as the file system allows.
  static std::atomic<unsigned> count{0};
  temporary_ = text(directory_of(target_), "/.facula-", getpid(), "-", count++);
}

Replacement::~Replacement() {
  if (!temporary_.empty()) unlink(temporary_.c_str());
}

void Replacement::commit() {
  {
    const Descriptor file(open(temporary_.c_str(), O_RDONLY | O_CLOEXEC));
    struct stat old;
    const bool replaces = stat(target_.c_str(), &old) == 0;
    if (file.get() < 0 || (replaces && fchmod(file.get(), old.st_mode & 07777) != 0) || fsync(file.get()) != 0)
      fail_with(errno);
  }
  if (rename(temporary_.c_str(), target_.c_str()) != 0) fail_with(errno);
  temporary_.clear();
  // The directory holds the new name. Some file systems cannot sync directories; the file is whole all the same.
  const Descriptor directory(open(directory_of(target_).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (directory.get() >= 0 && fsync(directory.get()) != 0 && errno != EINVAL) fail_with(errno);
}

void Replacement::fail_with(int error_number) const { fail_with(reason(error_number)); }

void Replacement::fail_with(const std::string& why) const {
  fail(operation_, ": cannot write '", path_, "' (", why, ")");
}

InputFile::InputFile(const std::string& path, const char* operation) {
  check_path(path, operation);
  check_access(path, followed(path), operation);
  descriptor_ = open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  check(descriptor_ >= 0, operation, ": cannot open '", path, "' (", reason(errno), ")");
  struct stat found;
  const bool known = fstat(descriptor_, &found) == 0;
  if (known && S_ISREG(found.st_mode)) {
    size_ = found.st_size;
    return;
  }
  close(descriptor_);
  fail(operation, ": '", path, "' ", known && S_ISDIR(found.st_mode) ? "is a directory" : "is not a plain file");
}

InputFile::~InputFile() { close(descriptor_); }

}  // namespace facula
