#include "core/mapped_file.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "core/context.h"
#include "core/error.h"
#include "core/iterator.h"
#include "core/slots.h"

namespace facula {

static constexpr uint64_t kAhead = 64 << 10, kSmall = 4 << 10;

static_assert(std::endian::native == std::endian::little, "elements are little-endian in files and copied as they are");

void MappedFile::check_range(uint64_t offset, uint64_t bytes) const {
  check(offset <= size() && bytes <= size() - offset, operation_, ": '", path_, "' is damaged or cut: ", bytes,
        " bytes from byte ", offset, " on reach beyond its ", size());
}

// What is small mostly lies beside more of the kind, and a call of the system for each of a million tensors would take
// longer than all else.
bool MappedFile::read_ahead(uint64_t offset, uint64_t bytes, void* to) const {
  if (offset < ahead_first_ || offset + bytes > ahead_last_) {
    ahead_.resize(std::min(kAhead, size() - offset));
    ahead_first_ = ahead_last_ = offset;
    if (!input_.read(offset, ahead_.size(), ahead_.data())) return false;
    ahead_last_ += ahead_.size();
  }
  std::memcpy(to, ahead_.data() + (offset - ahead_first_), bytes);
  return true;
}

void MappedFile::read(uint64_t offset, uint64_t bytes, void* to) const {
  if (bytes <= kSmall && read_ahead(offset, bytes, to)) return;
  check(input_.read(offset, bytes, to), operation_, ": '", path_, "' cannot be read: ", bytes, " bytes at byte ",
        offset);
}

std::string MappedFile::bytes(uint64_t offset, uint64_t size) const {
  check_range(offset, size);
  std::string out(size, '\0');
  read(offset, size, out.data());
  return out;
}

Tensor MappedFile::tensor(uint64_t offset, DType dtype, const Sizes& sizes, bool mapped) {
  valid(sizes.size() <= kMaxDims, "a tensor has ", sizes.size(), " dimensions, more than ", kMaxDims);
  const auto item = static_cast<uint64_t>(item_size(dtype));
  const auto numel = static_cast<uint64_t>(numel_of(sizes));
  check(numel <= size() / item, operation_, ": '", path_, "' is damaged or cut: ", sizes, " of ", dtype,
        " do not fit into its ", size(), " bytes");
  check_range(offset, numel * item);
  if (mapped && numel > 0 && offset % item == 0 && dtype != DType::Bool && !context().folders) {
    std::shared_ptr<const FileMapping> mapping = mapping_.lock();
    if (!mapping)
      mapping_ = mapping =
          std::make_shared<const FileMapping>(input_.descriptor(), size(), text(operation_, ": '", path_, '\''));
    if (mapping->good())
      return borrow(mapping->start() + offset, sizes, contiguous_strides(sizes), dtype, {}, [mapping] {});
  }
  const Tensor x = empty(sizes, dtype);
  read(offset, numel * item, x.bytes());
  valid(holds_booleans(x), "the booleans from byte ", offset, " on have other values than 0 and 1");
  return x;
}

Tensor dense_on_host(const Tensor& x) {
  Tensor dense = x;
  if (!x.is_contiguous()) {
    dense = empty(x.sizes(), x.dtype(), x.device());
    slots::copy(dense, x);
  }
  if (dense.is_cpu()) return dense;
  const Tensor host = empty(x.sizes(), x.dtype());
  runtime(x.device().type).copy(host.bytes(), {}, dense.bytes(), x.device(), byte_count(x));
  return host;
}

bool holds_booleans(const Tensor& x) {
  if (x.dtype() != DType::Bool || !x.is_cpu()) return true;
  const Tensor dense = dense_on_host(x);
  return std::all_of(dense.bytes(), dense.bytes() + byte_count(dense), [](unsigned char b) { return b <= 1; });
}

}  // namespace facula
