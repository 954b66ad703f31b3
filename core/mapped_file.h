// The bytes of files as tensors: copied, or mapped, so that a tensor lies in the file itself.
#pragma once

#include <memory>
#include <string>

#include "core/file.h"
#include "core/file_mapping.h"
#include "core/tensor.h"

namespace facula {

/// A plain file that tensors are read from. Its contents are little-endian, as tensors are.
class MappedFile {
 public:
  /// `operation` begins every message. Errors: see InputFile.
  MappedFile(const std::string& path, const std::string& operation)
      : path_(path), operation_(operation), input_(path, operation) {}

  uint64_t size() const { return static_cast<uint64_t>(input_.size()); }
  const InputFile& input() const { return input_; }

  /// Errors: the bytes reach beyond the end of the file, or it has become shorter; an interrupt.
  std::string bytes(uint64_t offset, uint64_t size) const;
  /// A dense tensor of the elements that begin at `offset`. `mapped`: it lies in the file, of which its pages are read when
  /// they are first used, and written to by nobody. It is a copy all the same
  /// where elements are not aligned in the file, of bool, which is looked at, and where a context allows some folders only.
  /// Errors: as for bytes, before memory is asked for; a bool other than 0 and 1.
  Tensor tensor(uint64_t offset, DType dtype, const Sizes& sizes, bool mapped);

  /// Fails with `operation: 'path' is damaged: parts`.
  template <class... Parts>
  void valid(bool good, const Parts&... parts) const {
    check(good, operation_, ": '", path_, "' is damaged: ", parts...);
  }

 private:
  void check_range(uint64_t offset, uint64_t size) const;
  void read(uint64_t offset, uint64_t size, void* to) const;
  bool read_ahead(uint64_t offset, uint64_t size, void* to) const;

  std::string path_, operation_;
  InputFile input_;
  mutable std::string ahead_;  // the bytes of the file from `ahead_first_` to `ahead_last_`
  mutable uint64_t ahead_first_ = 0, ahead_last_ = 0;
  std::weak_ptr<const FileMapping> mapping_;
};

/// Are all bytes of a bool tensor 0 or 1?
bool holds_booleans(const Tensor& x);
/// The elements in a row in host memory: the tensor itself, or a copy.
Tensor dense_on_host(const Tensor& x);
/// How many bytes these are.
inline uint64_t byte_count(const Tensor& x) { return static_cast<uint64_t>(x.numel() * x.item_size()); }

}  // namespace facula
