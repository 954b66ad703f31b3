#include "core/archive.h"

#include <simdjson.h>
#include <unistd.h>
#include <zip.h>

#include <algorithm>
#include <bit>
#include <memory>

#include "core/file.h"
#include "core/iterator.h"
#include "core/parallel.h"
#include "core/slots.h"

namespace facula {
namespace {

static_assert(std::endian::native == std::endian::little,
              "elements are little-endian in the file and copied as they are");

constexpr std::string_view kVersion = "1";
constexpr const char *kVersionEntry = "facula/version", *kDescriptionEntry = "facula/description",
                     *kTensorsEntry = "facula/tensors";
constexpr int kHeaderEntries = 3;
constexpr uint64_t kMostRowBytes = 2048;  // of JSON for one tensor: 64 sizes of 20 digits, and the words around them
constexpr uint64_t kChunk = 256 << 10;    // bytes read at a time: the cache still has them for the checksum

std::string entry_name(size_t i) { return "tensors/" + std::to_string(i); }
uint64_t byte_count(const Tensor& x) { return static_cast<uint64_t>(x.numel() * x.item_size()); }

/// libzip's error in words, which it keeps itself.
class ZipError {
 public:
  explicit ZipError(int code) { zip_error_init_with_code(&error_, code); }
  ~ZipError() { zip_error_fini(&error_); }
  ZipError(const ZipError&) = delete;
  ZipError& operator=(const ZipError&) = delete;
  zip_error_t* get() { return &error_; }

 private:
  zip_error_t error_;
};

using Zip = std::unique_ptr<zip_t, decltype(&zip_discard)>;

// ---- writing --------------------------------------------------------------------------------------------------------------

/// The elements in a row in host memory: the tensor itself, or a copy.
Tensor dense_on_host(const Tensor& x) {
  check(!x.is_meta(), "save: a meta tensor has no elements");
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

std::string rows_of(const Tensors& tensors) {
  std::string out = "[";
  for (const Tensor& x : tensors) {
    std::string shape;
    for (const int64_t n : x.sizes()) shape += (shape.empty() ? "" : ", ") + std::to_string(n);
    out += text(out.size() > 1 ? ",\n " : "", "{\"dtype\": \"", x.dtype(), "\", \"shape\": [", shape,
                "], \"bytes\": ", byte_count(x), "}");
  }
  return out + "]\n";
}

class Writer {
 public:
  explicit Writer(const std::string& path) : file_(path, "save"), zip_(nullptr, &zip_discard) {
    int code = 0;
    zip_.reset(zip_open(file_.temporary().c_str(), ZIP_CREATE | ZIP_TRUNCATE, &code));
    if (!zip_) fail_with(ZipError(code).get());
    zip_register_cancel_callback_with_state(
        zip_.get(), [](zip_t*, void*) { return int{interrupt_requested()}; }, nullptr, nullptr);
  }

  /// The bytes are read by `finish`. `aligned` ones start at a multiple of 64.
  void add(const std::string& name, const void* data, uint64_t size, bool aligned = false) {
    zip_source_t* const source = zip_source_buffer(zip_.get(), data, size, 0);
    const zip_int64_t at = source ? zip_file_add(zip_.get(), name.c_str(), source, ZIP_FL_ENC_UTF_8) : -1;
    if (at < 0) {
      zip_source_free(source);
      fail_with(zip_get_error(zip_.get()));
    }
    const auto index = static_cast<zip_uint64_t>(at);
    constexpr zip_uint16_t new_year_1980 = 1 << 5 | 1;  // the first day of zip: equal contents give equal files
    if (zip_set_file_compression(zip_.get(), index, ZIP_CM_STORE, 0) != 0 ||
        zip_file_set_dostime(zip_.get(), index, 0, new_year_1980, 0) != 0)
      fail_with(zip_get_error(zip_.get()));
    // A local header has 30 bytes, the name, and extra fields of 4 bytes and their contents; sizes from 4 GB are such a field.
    offset_ += 30 + name.size() + (size >= 0xffffffff ? 20 : 0);
    if (aligned) pad(index);
    offset_ += size;
  }

  void finish() {
    if (zip_close(zip_.get()) != 0) {
      zip_error_t* const error = zip_get_error(zip_.get());
      if (zip_error_code_zip(error) == ZIP_ER_CANCELLED) throw Interrupted();
      fail_with(error);
    }
    static_cast<void>(zip_.release());  // zip_close has freed it
    file_.commit();
  }

 private:
  void pad(zip_uint64_t index) {
    constexpr zip_uint8_t zeros[64] = {};
    constexpr zip_uint16_t id = 0x4246;  // PyTorch's, for the same purpose
    const auto size = static_cast<zip_uint16_t>(-(offset_ + 4) % 64);
    if (zip_file_extra_field_set(zip_.get(), index, id, ZIP_EXTRA_FIELD_NEW, zeros, size, ZIP_FL_LOCAL) != 0)
      fail_with(zip_get_error(zip_.get()));
    offset_ += 4 + size;
  }

  [[noreturn]] void fail_with(zip_error_t* error) const {
    if (zip_error_system_type(error) == ZIP_ET_SYS) file_.fail_with(zip_error_code_system(error));
    file_.fail_with(zip_error_strerror(error));
  }

  Replacement file_;
  Zip zip_;
  uint64_t offset_ = 0;  // in the file, where the next header comes
};

// ---- reading --------------------------------------------------------------------------------------------------------------

struct Row {
  DType dtype;
  Sizes sizes;
  uint64_t bytes;
};

class Reader {
 public:
  explicit Reader(const std::string& path) : path_(path), file_(path, "load"), zip_(nullptr, &zip_discard) {
    const int copy = dup(file_.descriptor());  // libzip closes what it opens
    int code = 0;
    zip_.reset(zip_fdopen(copy, ZIP_CHECKCONS, &code));
    if (!zip_) {
      if (copy >= 0) close(copy);
      ZipError error(code);
      fail("load: '", path_, "' is not a file of torch.save, or only a part of one (", zip_error_strerror(error.get()),
           ")");
    }
    entries_ = static_cast<uint64_t>(zip_get_num_entries(zip_.get(), 0));
    check(zip_name_locate(zip_.get(), kVersionEntry, 0) >= 0, "load: '", path_,
          "' is a zip archive, but not a file of torch.save");
    const std::string version = content(kVersionEntry, 32);
    check(version == kVersion, "load: '", path_, "' has format ", version, ", this program reads format ", kVersion);
  }

  std::string description() { return content(kDescriptionEntry, static_cast<uint64_t>(file_.size())); }

  /// What the file says of its tensors, found true as far as it can be without reading them.
  std::vector<Row> rows() {
    const std::string json = content(kTensorsEntry, entries_ * kMostRowBytes);
    simdjson::dom::parser parser;
    simdjson::dom::array list;
    valid(parser.parse(json).get(list) == simdjson::SUCCESS, kTensorsEntry, " is not a list in JSON");
    valid(list.size() == entries_ - kHeaderEntries, "it lists ", list.size(), " tensors and has ",
          entries_ - kHeaderEntries);
    std::vector<Row> rows;
    uint64_t total = 0;
    for (const simdjson::dom::element element : list) {
      rows.push_back(row(element, entry_name(rows.size())));
      total += rows.back().bytes;
      valid(total <= static_cast<uint64_t>(file_.size()), "its tensors overlap");
    }
    return rows;
  }

  Tensor tensor(const Row& row, size_t i, Device device) {
    const std::string name = entry_name(i);
    const Tensor x = empty(row.sizes, row.dtype);
    read(name, x.bytes(), row.bytes);
    valid(row.dtype != DType::Bool ||
              std::all_of(x.bytes(), x.bytes() + row.bytes, [](unsigned char b) { return b <= 1; }),
          name, " has other values than true and false");
    if (device.is_cpu()) return x;
    const Tensor moved = empty(row.sizes, row.dtype, device);
    if (!device.is_meta()) runtime(device.type).copy(moved.bytes(), device, x.bytes(), {}, row.bytes);
    return moved;
  }

 private:
  template <class... Parts>
  void valid(bool good, const Parts&... parts) const {
    check(good, "load: '", path_, "' is damaged: ", parts...);
  }

  /// Length of a stored entry that fits into the file.
  uint64_t length(const std::string& name) {
    zip_stat_t found;
    zip_stat_init(&found);
    valid(zip_stat(zip_.get(), name.c_str(), 0, &found) == 0, name, " is missing");
    valid(found.comp_method == ZIP_CM_STORE && found.encryption_method == ZIP_EM_NONE, name,
          " is compressed or encrypted");
    valid(found.size == found.comp_size && found.size <= static_cast<uint64_t>(file_.size()), name,
          " is longer than the file");
    return found.size;
  }

  std::string content(const char* name, uint64_t most) {
    const uint64_t size = length(name);
    valid(size <= most, name, " is too long");
    std::string out(size, '\0');
    read(name, out.data(), size);
    return out;
  }

  /// Reads all of an entry, whose checksum is compared at its end.
  void read(const std::string& name, char* to, uint64_t size) {
    const std::unique_ptr<zip_file_t, decltype(&zip_fclose)> entry(zip_fopen(zip_.get(), name.c_str(), 0), &zip_fclose);
    valid(entry != nullptr, name, " cannot be read (", zip_strerror(zip_.get()), ")");
    for (uint64_t done = 0; done < size;) {
      if (interrupt_requested()) throw Interrupted();
      const zip_int64_t n = zip_fread(entry.get(), to + done, std::min(kChunk, size - done));
      valid(n > 0, name, " cannot be read (", n < 0 ? zip_file_strerror(entry.get()) : "it ends too early", ")");
      done += static_cast<uint64_t>(n);
    }
    char more;
    const zip_int64_t n = zip_fread(entry.get(), &more, 1);
    valid(n == 0, name, " cannot be read (", n < 0 ? zip_file_strerror(entry.get()) : "it is too long", ")");
  }

  Row row(simdjson::dom::element element, const std::string& name) {
    simdjson::dom::object fields;
    std::string_view dtype;
    simdjson::dom::array shape;
    Row out;
    const bool complete = element.get(fields) == simdjson::SUCCESS && fields.size() == 3 &&
                          fields["dtype"].get(dtype) == simdjson::SUCCESS &&
                          fields["shape"].get(shape) == simdjson::SUCCESS &&
                          fields["bytes"].get(out.bytes) == simdjson::SUCCESS;
    valid(complete, name, " is not described by dtype, shape and bytes");
    const OptDType known = dtype_of_name(dtype);
    valid(known.has_value(), name, " has the unknown dtype '", dtype, "'");
    out.dtype = *known;
    valid(shape.size() <= kMaxDims, name, " has more than ", kMaxDims, " dimensions");
    int64_t numel = 1, reach = item_size(*known);
    for (const simdjson::dom::element size : shape) {
      int64_t n = 0;
      valid(size.get(n) == simdjson::SUCCESS && n >= 0, name, " has a size that is none");
      numel *= n != 0;
      valid(!__builtin_mul_overflow(reach, std::max<int64_t>(n, 1), &reach), name, " is larger than any memory");
      out.sizes.push_back(n);
    }
    valid(out.bytes == static_cast<uint64_t>(numel * reach) && length(name) == out.bytes, name, " has ", length(name),
          " bytes, ", out.sizes, " of ", *known, " need ", numel * reach);
    return out;
  }

  std::string path_;
  InputFile file_;
  Zip zip_;
  uint64_t entries_ = 0;
};

}  // namespace

void write_archive(const std::string& path, std::string_view description, const Tensors& tensors) {
  Tensors dense;
  for (const Tensor& x : tensors) dense.push_back(dense_on_host(x));
  const std::string rows = rows_of(dense);
  Writer writer(path);
  writer.add(kVersionEntry, kVersion.data(), kVersion.size());
  writer.add(kDescriptionEntry, description.data(), description.size());
  writer.add(kTensorsEntry, rows.data(), rows.size());
  for (size_t i = 0; i < dense.size(); ++i) writer.add(entry_name(i), dense[i].bytes(), byte_count(dense[i]), true);
  writer.finish();
}

Archive read_archive(const std::string& path, Device device) {
  Reader reader(path);
  Archive archive{reader.description(), {}};
  const std::vector<Row> rows = reader.rows();
  for (size_t i = 0; i < rows.size(); ++i) archive.tensors.push_back(reader.tensor(rows[i], i, device));
  return archive;
}

}  // namespace facula
