#include "core/hdf5_library.h"

#include <dlfcn.h>

#include <algorithm>
#include <string_view>

#include "core/error.h"

namespace facula::hdf5 {
namespace {

// Debian's serial build, then others, by the versions of their interface.
constexpr const char* kNames[] = {
    "libhdf5_serial.so.103", "libhdf5_serial.so.310", "libhdf5_serial.so", "libhdf5.so.103",
    "libhdf5.so.200",        "libhdf5.so.310",        "libhdf5.so"};
constexpr int kExternalLink = 64;

void* open_library() {
  for (const char* name : kNames)
    if (void* found = dlopen(name, RTLD_NOW | RTLD_LOCAL)) return found;
  fail("hdf5: libhdf5 is not installed (Debian: libhdf5-103-1)");
}

template <class T>
void find(void* from, const char* name, T& to) {
  to = reinterpret_cast<T>(dlsym(from, name));
  check(to != nullptr, "hdf5: this libhdf5 has no function ", name);
}

Library load() {
  void* const found = open_library();
  Library lib;
#define FACULA_HDF5_FIND(result, name, parameters) find(found, #name, lib.name);
  FACULA_HDF5_FUNCTIONS(FACULA_HDF5_FIND)
#undef FACULA_HDF5_FIND
#define FACULA_HDF5_FIND(name) find(found, #name, lib.name);
  FACULA_HDF5_VARIABLES(FACULA_HDF5_FIND)
#undef FACULA_HDF5_FIND
  find(found, dlsym(found, "H5Literate2") ? "H5Literate2" : "H5Literate", lib.H5Literate);
  // At the program's end it would go through files that it could not write, and crash. Ours are closed by then.
  lib.H5dont_atexit();
  unsigned major = 0, minor = 0, release = 0;
  lib.H5get_libversion(&major, &minor, &release);
  check(major == 1 && minor >= 10, "hdf5: libhdf5 has version ", major, '.', minor, ", expected 1.10 or later");
  check(lib.H5open() >= 0, "hdf5: libhdf5 does not start");
  lib.H5Eset_auto2(kDefault, nullptr, nullptr);  // it would print its errors
  // A file names no other files and no code.
  lib.H5PLset_loading_state(0);
  lib.H5Lunregister(kExternalLink);
  return lib;
}

}  // namespace

const Library& library() {
  static const Library lib = load();
  return lib;
}

std::string last_error() {
  std::string message;
  const auto take = [](unsigned, const ErrorEntry* entry, void* to) {
    if (entry->description) *static_cast<std::string*>(to) = entry->description;
    return 1;  // the innermost says the most
  };
  library().H5Ewalk2(kDefault, kInnermostFirst, take, &message);
  library().H5Eclear2(kDefault);
  // Of what the system refused, the system's words are enough.
  constexpr std::string_view kBefore = "error message = '";
  if (const size_t at = message.find(kBefore); at != std::string::npos) {
    message.erase(0, at + kBefore.size());
    message.erase(std::min(message.find('\''), message.size()));
  }
  return message.empty() ? "libhdf5 does not say why" : message;
}

}  // namespace facula::hdf5
