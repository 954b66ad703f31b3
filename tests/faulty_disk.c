/* A disk that fails when it is told to, for a program that starts with LD_PRELOAD=libfaulty_disk.so. It stands in for the C
 * library's functions and counts the calls that change something below one folder: opening for writing, write, pwrite,
 * truncation, permissions, fsync, linkat, rename and close. tests/lua/faulty_disk_spec.lua tells it which call fails, and how. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { NOTHING, ERROR, PART, FULL, KILL };

static char folder[PATH_MAX];
static int what = NOTHING, at, calls, without_nameless;

/* From now on, call number `number` below `path` fails as `kind` says:
 *   1  with EIO;
 *   2  a write takes half of the bytes, as the system may;
 *   3  the disk is full: a write takes half of the bytes, and everything that needs room fails with ENOSPC from then on;
 *   4  the process is killed.
 * 0 counts only. `no_nameless`: the file system knows no files without a name. */
void faulty_disk_arm(const char* path, int number, int kind, int no_nameless) {
  snprintf(folder, sizeof folder, "%s", path);
  at = number;
  calls = 0;
  without_nameless = no_nameless;
  what = kind;
}

/* Calls since then; afterwards nothing fails. */
int faulty_disk_disarm(void) {
  what = NOTHING;
  folder[0] = 0;
  return calls;
}

static int concerns(const char* path) { return folder[0] && strncmp(path, folder, strlen(folder)) == 0; }

static int concerns_open(int file) {
  char link[64], path[PATH_MAX] = "";
  if (!folder[0]) return 0;
  snprintf(link, sizeof link, "/proc/self/fd/%d", file);
  return syscall(SYS_readlinkat, AT_FDCWD, link, path, sizeof path - 1) > 0 && concerns(path);
}

/* Counts a call. 0: it takes place; otherwise the error that it fails with. `needs_room`: a full disk refuses it. */
static int fault(int needs_room) {
  ++calls;
  if (what == FULL && calls > at && needs_room) return ENOSPC;
  if (calls != at) return 0;
  if (what == KILL) raise(SIGKILL);
  if (what == FULL && needs_room) return ENOSPC;
  return what == ERROR ? EIO : 0;
}

static int fails(int needs_room) {
  const int error = fault(needs_room);
  if (error) errno = error;
  return error != 0;
}

/* How many of `size` bytes are written; -1 with errno set if the call fails. */
static ssize_t written(size_t size) {
  const int cut = (what == PART || what == FULL) && calls + 1 == at && size > 1;
  if (cut) ++calls;
  return cut ? (ssize_t)(size / 2) : fails(1) ? -1 : (ssize_t)size;
}

ssize_t write(int file, const void* from, size_t size) {
  const ssize_t n = concerns_open(file) ? written(size) : (ssize_t)size;
  return n < 0 ? -1 : syscall(SYS_write, file, from, n);
}

ssize_t pwrite64(int file, const void* from, size_t size, off64_t offset) {
  const ssize_t n = concerns_open(file) ? written(size) : (ssize_t)size;
  return n < 0 ? -1 : syscall(SYS_pwrite64, file, from, n, offset);
}
ssize_t pwrite(int file, const void* from, size_t size, off_t offset) { return pwrite64(file, from, size, offset); }

static int open_file(int folder_file, const char* path, int flags, int mode) {
  const int writes = (flags & O_ACCMODE) != O_RDONLY;
  if (writes && concerns(path)) {
    if (without_nameless && (flags & O_TMPFILE) == O_TMPFILE) {
      errno = EOPNOTSUPP;
      return -1;
    }
    if (fails((flags & (O_CREAT | __O_TMPFILE)) != 0)) return -1;
  }
  return (int)syscall(SYS_openat, folder_file, path, flags, mode);
}

static int mode_of(int flags, va_list rest) { return flags & (O_CREAT | __O_TMPFILE) ? va_arg(rest, int) : 0; }

#define OPEN(name, folder_parameter, folder_file)               \
  int name(folder_parameter const char* path, int flags, ...) { \
    va_list rest;                                               \
    va_start(rest, flags);                                      \
    const int mode = mode_of(flags, rest);                      \
    va_end(rest);                                               \
    return open_file(folder_file, path, flags, mode);           \
  }
#define COMMA ,
OPEN(open, , AT_FDCWD)
OPEN(open64, , AT_FDCWD)
OPEN(openat, int from COMMA, from)
OPEN(openat64, int from COMMA, from)

/* The file is closed all the same, as Linux does. */
int close(int file) {
  const int failed = concerns_open(file) && fails(0), error = errno, closed = (int)syscall(SYS_close, file);
  if (failed) errno = error;
  return failed ? -1 : closed;
}

/* Nothing waits for the real disk. */
int fsync(int file) {
  if (concerns_open(file)) return fails(1) ? -1 : 0;
  return (int)syscall(SYS_fsync, file);
}

int fchmod(int file, mode_t mode) {
  return concerns_open(file) && fails(0) ? -1 : (int)syscall(SYS_fchmod, file, mode);
}

int ftruncate64(int file, off64_t size) {
  return concerns_open(file) && fails(0) ? -1 : (int)syscall(SYS_ftruncate, file, size);
}
int ftruncate(int file, off_t size) { return ftruncate64(file, size); }

int linkat(int from, const char* old, int to, const char* path, int flags) {
  return concerns(path) && fails(1) ? -1 : (int)syscall(SYS_linkat, from, old, to, path, flags);
}

int rename(const char* old, const char* path) {
  return concerns(path) && fails(1) ? -1 : (int)syscall(SYS_renameat2, AT_FDCWD, old, AT_FDCWD, path, 0);
}
