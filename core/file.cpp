#include "core/file.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <climits>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <utility>

#include "core/context.h"
#include "core/error.h"
#include "core/file_mapping.h"
#include "core/parallel.h"

namespace facula {
namespace {

void check_path(const std::string& path, const std::string& operation) {
  check(!path.empty(), operation, ": the path is empty");
  check(path.find('\0') == std::string::npos, operation, ": the path has a zero byte in it");
}

std::string directory_of(const std::string& path) {
  const size_t slash = path.rfind('/');
  return slash == std::string::npos ? "." : path.substr(0, slash + 1);
}

// The file that a link leads to, which need not be there yet, or the path itself.
std::string followed(std::string path) {
  constexpr int kMostLinks = 40;  // as many as Linux follows
  for (int i = 0; i < kMostLinks; ++i) {
    const std::unique_ptr<char, decltype(&std::free)> real(realpath(path.c_str(), nullptr), &std::free);
    if (real) return real.get();
    char to[PATH_MAX];
    const ssize_t n = readlink(path.c_str(), to, sizeof to);
    if (n <= 0) return path;
    const std::string link(to, static_cast<size_t>(n));
    path = link[0] == '/' ? link : directory_of(path) + '/' + link;
  }
  return path;
}

// Within one of the context's folders, whatever links lead there?
void check_access(const std::string& path, const std::string& target, const std::string& operation) {
  const auto folders = context().folders;
  if (!folders) return;
  const std::string place = followed(directory_of(target)) + '/';
  for (const std::string& folder : *folders)
    if (place.starts_with(followed(folder) + '/')) return;
  fail(operation, ": '", path, "' is outside the folders that this script may use");
}

constexpr uint64_t kChunk = uint64_t{1} << 20;      // between two looks for interrupts
constexpr uint64_t kHandOver = uint64_t{16} << 20;  // that the disk is asked to write while more comes

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

// What linkat finds an open file by.
std::string nameless(int descriptor) { return "/proc/self/fd/" + std::to_string(descriptor); }

// strerror, but safe beside other threads. The system cannot read what is to be written where a mapped file was cut.
std::string reason(int error_number) {
  if (error_number == EFAULT) return "the file that its elements lie in was cut";
  char buffer[128];
  return strerror_r(error_number, buffer, sizeof buffer);
}

}  // namespace

std::vector<std::string> list_folder(const std::string& path, const std::string& operation) {
  check_path(path, operation);
  check_access(path, followed(path) + "/.", operation);
  const std::unique_ptr<DIR, int (*)(DIR*)> folder(opendir(path.c_str()), closedir);
  check(folder != nullptr, operation, ": cannot list '", path, "' (", reason(errno), ")");
  std::vector<std::string> names;
  while (const dirent* const entry = readdir(folder.get())) {
    const std::string name = entry->d_name;
    if (name == "." || name == "..") continue;
    struct stat found;
    const bool is_folder = stat((path + '/' + name).c_str(), &found) == 0 && S_ISDIR(found.st_mode);
    names.push_back(is_folder ? name + '/' : name);
  }
  std::sort(names.begin(), names.end());
  return names;
}

Replacement::Replacement(std::string path, std::string operation)
    : path_(std::move(path)), target_(followed(path_)), operation_(std::move(operation)) {
  check_path(path_, operation_);
  check_access(path_, target_, operation_);
  struct stat found;
  if (stat(target_.c_str(), &found) != 0) return;
  check(S_ISREG(found.st_mode), operation_, ": '", path_, "' exists and is not a plain file");
  // Its folder may allow what the file itself does not.
  if (access(target_.c_str(), W_OK) != 0) fail_with(errno);
}

Replacement::~Replacement() {
  if (descriptor_ >= 0) close(descriptor_);
  if (named_) unlink(temporary_.c_str());
}

const std::string& Replacement::temporary() {
  FACULA_ASSERT(named_ == (descriptor_ >= 0));
  if (!named_) open_named();
  return temporary_;
}

void Replacement::open() {
  descriptor_ = ::open(directory_of(target_).c_str(), O_TMPFILE | O_WRONLY | O_CLOEXEC, 0666);
  if (descriptor_ >= 0 && access(nameless(descriptor_).c_str(), F_OK) == 0) return;
  if (descriptor_ >= 0) close(descriptor_);
  open_named();
}

void Replacement::open_named() {
  take_temporary_name([this](const char* name) {
    descriptor_ = ::open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    return descriptor_ >= 0;
  });
}

// Names are of a fixed length, because the target's may be as long as the file system allows. One may be taken: by a process of
// this number that was killed, or that is at work on another machine.
void Replacement::take_temporary_name(FunctionRef<bool(const char*)> take) {
  static std::atomic<unsigned> count{0};
  constexpr int kMostTries = 10'000;
  for (int i = 0; i < kMostTries; ++i) {
    temporary_ = text(directory_of(target_), "/.facula-", getpid(), "-", count++);
    named_ = take(temporary_.c_str());
    if (named_) return;
    if (errno != EEXIST) break;
  }
  fail_with(errno);
}

void Replacement::write(const void* data, uint64_t size) {
  if (descriptor_ < 0) open();
  put(position_, data, size);
  position_ += size;
  if (position_ - handed_over_ < kHandOver) return;
  sync_file_range(descriptor_, static_cast<off_t>(handed_over_), static_cast<off_t>(position_ - handed_over_),
                  SYNC_FILE_RANGE_WRITE);
  handed_over_ = position_;
}

void Replacement::rewrite(uint64_t offset, const void* data, uint64_t size) {
  FACULA_ASSERT(offset + size <= position_);
  put(offset, data, size);
}

void Replacement::put(uint64_t offset, const void* data, uint64_t size) {
  const auto* from = static_cast<const char*>(data);
  for (uint64_t done = 0; done < size;) {
    if (interrupt_requested()) throw Interrupted();
    const ssize_t n =
        pwrite(descriptor_, from + done, std::min(size - done, kChunk), static_cast<off_t>(offset + done));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) fail_with(n < 0 ? errno : ENOSPC);
    done += static_cast<uint64_t>(n);
  }
}

// A file without a name gets the target's, if that is free; names in use can only be taken over by renaming.
void Replacement::give_name() {
  if (!named_) {
    const std::string file = nameless(descriptor_);
    const auto link = [&](const char* name) {
      return linkat(AT_FDCWD, file.c_str(), AT_FDCWD, name, AT_SYMLINK_FOLLOW) == 0;
    };
    if (link(target_.c_str())) return;
    if (errno != EEXIST) fail_with(errno);
    take_temporary_name(link);
  }
  if (rename(temporary_.c_str(), target_.c_str()) != 0) fail_with(errno);
  named_ = false;
}

void Replacement::commit() {
  FACULA_ASSERT(descriptor_ >= 0);
  check_mappings();  // zeros for what another file has lost must not replace anything
  struct stat old;
  const bool replaces = stat(target_.c_str(), &old) == 0;
  if ((replaces && fchmod(descriptor_, old.st_mode & 07777) != 0) || fsync(descriptor_) != 0) fail_with(errno);
  give_name();
  if (close(std::exchange(descriptor_, -1)) != 0) fail_with(errno);
  // The directory holds the new name. Some file systems cannot sync directories; the file is whole all the same.
  const Descriptor directory(::open(directory_of(target_).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (directory.get() >= 0 && fsync(directory.get()) != 0 && errno != EINVAL) fail_with(errno);
}

void Replacement::fail_with(int error_number) const { fail_with(reason(error_number)); }

void Replacement::fail_with(const std::string& why) const {
  fail(operation_, ": cannot write '", path_, "' (", why, ")");
}

InputFile::InputFile(const std::string& path, const std::string& operation) {
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

bool InputFile::read(uint64_t offset, uint64_t size, void* to) const {
  for (auto* out = static_cast<char*>(to); size > 0;) {
    if (interrupt_requested()) throw Interrupted();
    const ssize_t n = pread(descriptor_, out, std::min(size, kChunk), static_cast<off_t>(offset));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    out += n;
    offset += static_cast<uint64_t>(n);
    size -= static_cast<uint64_t>(n);
  }
  return true;
}

InputFile::~InputFile() { close(descriptor_); }

void append_file(const std::string& path, std::string_view bytes, const char* operation) {
  check_path(path, operation);
  const std::string target = followed(path);
  check_access(path, target, operation);
  const auto fail_with = [&](const std::string& why) { fail(operation, ": cannot write '", path, "' (", why, ")"); };
  // A link that leads nowhere is still one here, and could lead out of the folders.
  const Descriptor file(
      open(target.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0666));
  struct stat found;
  if (file.get() < 0 || fstat(file.get(), &found) != 0) fail_with(reason(errno));
  if (!S_ISREG(found.st_mode)) fail_with("it is not a plain file");
  while (!bytes.empty()) {
    const ssize_t n = write(file.get(), bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) {
      const int problem = n < 0 ? errno : ENOSPC;
      const bool whole = ftruncate(file.get(), found.st_size) == 0;
      fail_with(reason(problem) + (whole ? "" : "; its end is incomplete"));
    }
    bytes.remove_prefix(static_cast<size_t>(n));
  }
}

void make_folders(const std::string& path, const char* operation) {
  check_path(path, operation);
  struct stat found;
  for (size_t end = 0; end != std::string::npos;) {
    end = path.find('/', end + 1);
    const std::string folder = path.substr(0, end);
    if (stat(folder.c_str(), &found) == 0) continue;
    check_access(path, folder, operation);
    if (mkdir(folder.c_str(), 0777) != 0 && errno != EEXIST)
      fail(operation, ": cannot make the folder '", folder, "' (", reason(errno), ")");
  }
  check(stat(path.c_str(), &found) == 0 && S_ISDIR(found.st_mode), operation, ": '", path, "' is not a folder");
}

}  // namespace facula
