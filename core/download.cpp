// libcurl's binary interface is stable; its numbers are written down here, so that neither building nor starting needs it.
// The transfer is driven from here: no frame of libcurl is on the stack when `progress` or an interrupt throws.
#include "core/download.h"

#include <dlfcn.h>

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <memory>

#include "core/error.h"
#include "core/parallel.h"

namespace facula {
namespace {

enum Option : int {
  kWriteData = 10001,
  kUrl = 10002,
  kErrorBuffer = 10010,
  kUserAgent = 10018,
  kLowSpeedLimit = 19,
  kLowSpeedTime = 20,
  kFailOnError = 45,
  kFollowLocation = 52,
  kMaxRedirects = 68,
  kConnectTimeout = 78,
  kNoSignal = 99,
  kProtocols = 181,
  kRedirectProtocols = 182,
  kWriteFunction = 20011,
  kResumeFrom = 30116,
};
constexpr long kHttp = 1, kHttps = 2, kFtp = 4, kFtps = 8, kFile = 1024;
constexpr int kResponseCode = 0x200002, kContentLength = 0x60000f;
constexpr int kErrorSize = 256, kDone = 1;
constexpr int kCannotResolve = 6, kCannotConnect = 7, kHttpError = 22, kWriteError = 23, kTimedOut = 28;
constexpr int kRangeError = 33, kBadResume = 36;
constexpr long kRangeBeyondEnd = 416;

struct Message {
  int kind;
  void* easy;
  union {
    void* any;
    int result;
  } data;
};

// The functions of the library.
struct Curl {
  int (*global_init)(long);
  void* (*easy_init)();
  int (*easy_setopt)(void*, int, ...);
  int (*easy_getinfo)(void*, int, ...);
  void (*easy_cleanup)(void*);
  const char* (*easy_strerror)(int);
  void* (*multi_init)();
  int (*multi_add_handle)(void*, void*);
  int (*multi_remove_handle)(void*, void*);
  int (*multi_perform)(void*, int*);
  int (*multi_wait)(void*, void*, unsigned, int, int*);
  Message* (*multi_info_read)(void*, int*);
  int (*multi_cleanup)(void*);
};

const Curl& curl() {
  static const Curl functions = [] {
    void* library = nullptr;
    for (const char* name : {"libcurl.so.4", "libcurl-gnutls.so.4"})
      if (!library) library = dlopen(name, RTLD_NOW | RTLD_LOCAL);
    check(library != nullptr, "download: libcurl.so.4 is not on this machine; Debian's package is libcurl4");
    Curl c;
    const auto find = [&](auto& function, const char* name) {
      function = reinterpret_cast<std::remove_reference_t<decltype(function)>>(dlsym(library, name));
      check(function != nullptr, "download: this libcurl has no ", name);
    };
    find(c.global_init, "curl_global_init");
    find(c.easy_init, "curl_easy_init");
    find(c.easy_setopt, "curl_easy_setopt");
    find(c.easy_getinfo, "curl_easy_getinfo");
    find(c.easy_cleanup, "curl_easy_cleanup");
    find(c.easy_strerror, "curl_easy_strerror");
    find(c.multi_init, "curl_multi_init");
    find(c.multi_add_handle, "curl_multi_add_handle");
    find(c.multi_remove_handle, "curl_multi_remove_handle");
    find(c.multi_perform, "curl_multi_perform");
    find(c.multi_wait, "curl_multi_wait");
    find(c.multi_info_read, "curl_multi_info_read");
    find(c.multi_cleanup, "curl_multi_cleanup");
    check(c.global_init(3) == 0, "download: libcurl does not start");
    return c;
  }();
  return functions;
}

class Transfer {
 public:
  Transfer(const std::string& url, const std::string& path) : url_(url), path_(path), easy_(curl().easy_init()) {
    check(easy_ != nullptr, "download: libcurl does not start");
    file_.reset(std::fopen(path.c_str(), "abe"));
    if (!file_) fail_to_write();
    std::fseek(file_.get(), 0, SEEK_END);
    begun_at_ = done_ = std::ftell(file_.get());
    const auto& set = curl().easy_setopt;
    set(easy_, kUrl, url.c_str());
    set(easy_, kProtocols, kHttp | kHttps | kFtp | kFtps | kFile);
    set(easy_, kRedirectProtocols, kHttp | kHttps | kFtp | kFtps);
    set(easy_, kFollowLocation, 1L);
    set(easy_, kMaxRedirects, 10L);
    set(easy_, kFailOnError, 1L);
    set(easy_, kNoSignal, 1L);
    set(easy_, kConnectTimeout, 30L);
    set(easy_, kLowSpeedLimit, 1L);
    set(easy_, kLowSpeedTime, 30L);
    set(easy_, kUserAgent, "facula");
    set(easy_, kErrorBuffer, reason_);
    set(easy_, kWriteFunction, &Transfer::write);
    set(easy_, kWriteData, this);
    if (begun_at_ > 0) set(easy_, kResumeFrom, begun_at_);
    multi_ = curl().multi_init();
    curl().multi_add_handle(multi_, easy_);
  }
  ~Transfer() {
    curl().multi_remove_handle(multi_, easy_);
    curl().multi_cleanup(multi_);
    curl().easy_cleanup(easy_);
    if (!complete_ && done_ == 0) std::remove(path_.c_str());  // nothing came
  }
  Transfer(const Transfer&) = delete;
  Transfer& operator=(const Transfer&) = delete;

  void run(const Progress& progress) {
    using Clock = std::chrono::steady_clock;
    auto shown = Clock::now();
    for (int running = 1; running > 0;) {
      curl().multi_perform(multi_, &running);
      if (interrupt_requested()) throw Interrupted();
      if (Clock::now() - shown > std::chrono::milliseconds(100)) {
        progress(done_, total());
        shown = Clock::now();
      }
      if (running > 0) curl().multi_wait(multi_, nullptr, 0, 100, nullptr);
    }
    int left = 0;
    while (const Message* const message = curl().multi_info_read(multi_, &left))
      if (message->kind == kDone) finish(message->data.result);
    if (std::fflush(file_.get()) != 0) fail_to_write();
    complete_ = true;
    progress(done_, done_);
  }

 private:
  static size_t write(const char* bytes, size_t one, size_t count, void* self) {
    auto* const t = static_cast<Transfer*>(self);
    const size_t n = std::fwrite(bytes, one, count, t->file_.get());
    if (n < count) t->disk_error_ = errno;
    t->done_ += static_cast<int64_t>(n);
    return n;
  }

  int64_t total() const {
    int64_t length = -1;
    curl().easy_getinfo(easy_, kContentLength, &length);
    return length < 0 ? -1 : begun_at_ + length;
  }

  void finish(int result) {
    long code = 0;
    curl().easy_getinfo(easy_, kResponseCode, &code);
    const bool complete = begun_at_ > 0 && code == kRangeBeyondEnd;  // there is nothing more to load
    if (result == 0 || complete) return;
    if (result == kWriteError && disk_error_ != 0) {
      errno = disk_error_;
      fail_to_write();
    }
    const std::string why = *reason_ ? reason_ : curl().easy_strerror(result);
    if (result == kHttpError) fail("download: ", url_, ": the server answers ", code);
    const bool unreachable = result == kCannotResolve || result == kCannotConnect || result == kTimedOut;
    const bool stubborn = result == kRangeError || result == kBadResume;
    fail("download: ", url_, ": ", why, unreachable ? "; is there a network?" : "",
         stubborn ? text("; the server cannot go on where '", path_, "' ends: remove it") : "");
  }

  [[noreturn]] void fail_to_write() const { fail("download: cannot write '", path_, "' (", std::strerror(errno), ")"); }

  const std::string& url_;
  const std::string& path_;
  void* easy_;
  void* multi_ = nullptr;
  std::unique_ptr<FILE, int (*)(FILE*)> file_{nullptr, std::fclose};
  int64_t begun_at_ = 0, done_ = 0;
  int disk_error_ = 0;
  bool complete_ = false;
  char reason_[kErrorSize] = "";
};

}  // namespace

void download(const std::string& url, const std::string& path, const Progress& progress) {
  Transfer(url, path).run(progress);
}

}  // namespace facula
