// Files in the format HDF5: groups in groups, data sets, and attributes of both.
//
// The library is not trusted with hostile files: sizes are compared with the file's before memory is asked for, other files
// and plug-ins are not opened, and sandboxes have nothing of it.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/file.h"
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

enum class Mode { Read, Write, Append };

/// Written files take their name when they are closed: until then the old one stays as it was. Methods fail with
/// `hdf5.operation: 'path' ...`.
class File {
 public:
  File(const std::string& path, Mode mode);
  ~File();

  /// Without an effect if it is closed already.
  void close();

  /// For `operation`, which its errors name.
  About about(const std::string& name, const char* operation = "info");
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
  void check_open(const char* operation, bool writes = false) const;
  void check_read(bool good, const char* operation, const std::string& name) const;
  void check_written(bool good, const char* operation, const std::string& name) const;
  /// The same of what is lost then, so that the old file stays.
  void check_arrived(bool good, const char* operation, const std::string& name);
  Handle object(const std::string& name, const char* operation, int kind = 0);
  bool holds(const std::string& name) const;
  /// Fails where the file cannot hold so many elements of `item` bytes, each byte of it being as many as `inflation`.
  void check_size(const char* operation, const std::string& name, const Sizes& sizes, size_t item, int64_t inflation,
                  int64_t allowed) const;

  std::string path_;
  Mode mode_;
  int64_t file_bytes_ = 0;
  bool broken_ = false;  // something did not arrive
  std::unique_ptr<Replacement> replacement_;
  Handle file_;
};

}  // namespace facula::hdf5
