// Files in the format HDF5: groups in groups, data sets, and attributes of both.
//
// The library is not trusted with hostile files: sizes are compared with the file's before memory is asked for, other files
// and plug-ins are not opened, sandboxes have nothing of it, and it works in a process apart (hdf5_client.h).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/hdf5_library.h"
#include "core/tensor.h"

namespace facula::hdf5 {

/// What a data set or an attribute holds: a tensor, or texts with their sizes.
struct Value {
  Tensor numbers;
  std::vector<std::string> texts;
  Sizes sizes;  // of the texts
};

/// The part of a data set along one dimension: `count` positions from `start`, counted from 0, `step` apart.
struct Range {
  int64_t start = 0, count = 0, step = 1;
};

struct Storage {
  Sizes chunks;  // none: the elements lie in a row, unless they are compressed
  int compression = 0;
};

struct About {
  bool is_group = false;
  Sizes sizes;
  OptDType dtype;  // none: text
};

struct Source;

enum class Mode { Read, Write, Append };

/// A file in the hands of libhdf5. Methods fail with `hdf5.operation: 'path' ...`.
class File {
 public:
  /// The file at `place`, `bytes` long, that messages call `path`; a new one to write.
  File(std::string path, const std::string& place, Mode mode, int64_t bytes);

  /// Brings all to the file. Errors: that fails, or something could not be written before.
  void close();

  /// For `operation`, which its errors name.
  About about(const std::string& name, const std::string& operation);
  bool exists(const std::string& name);
  std::vector<std::string> keys(const std::string& group);
  void make_group(const std::string& name);
  void remove(const std::string& name);

  /// `ranges`: one for each dimension, or none for all of it.
  Value read(const std::string& name, const std::vector<Range>& ranges);
  void write(const std::string& name, const Value& value, const Storage& storage);

  std::vector<std::string> attributes(const std::string& name);
  std::optional<Value> attribute(const std::string& name, const std::string& key);
  void set_attribute(const std::string& name, const std::string& key, const Value& value);

 private:
  template <class... Parts>
  [[noreturn]] void wrong(const char* operation, const Parts&... parts) const {
    fail("hdf5.", operation, ": '", path_, "' ", parts...);
  }
  void check_writes(const char* operation) const;
  void check_read(bool good, const char* operation, const std::string& name) const;
  void check_written(bool good, const char* operation, const std::string& name) const;
  /// The same of what is lost then, so that the old file stays.
  void check_arrived(bool good, const char* operation, const std::string& name);
  Handle object(const std::string& name, const char* operation, int kind = 0);
  Value elements(const Source& source, const Sizes& sizes, const char* operation, const std::string& name) const;
  bool holds(const std::string& name) const;
  /// Fails where the file cannot hold so many elements of `item` bytes, each byte of it being as many as `inflation`.
  void check_size(const char* operation, const std::string& name, const Sizes& sizes, size_t item, int64_t inflation,
                  int64_t allowed) const;

  std::string path_;
  Mode mode_;
  int64_t file_bytes_ = 0;
  bool broken_ = false;  // something did not arrive
  Handle file_;
};

}  // namespace facula::hdf5
