#include "core/hdf5_file.h"

#include <algorithm>
#include <cstdint>
#include <functional>

#include "core/hdf5_type.h"
#include "core/mapped_file.h"

namespace facula::hdf5 {

/// A data set or an attribute to be read: its type, the space that is wanted, and the library's function.
struct Source {
  Identifier type, space;
  std::function<bool(Identifier memory_type, void* to)> read;
};

namespace {

// A compressed byte becomes 1032 at the most (zlib's technical notes). What was never written takes no room in the file: so
// many bytes of it are nobody's worry. A text takes 16 bytes to find it by.
constexpr int64_t kInflation = 1032, kAlwaysAllowed = int64_t{16} << 20;
constexpr size_t kTextBytes = 16;
constexpr int64_t kChunkBytes = int64_t{1} << 20;  // where the caller leaves it to us
constexpr int kMostDims = 32;                      // of HDF5

Sizes sizes_of(Identifier space) {
  const int dims = library().H5Sget_simple_extent_ndims(space);
  if (dims <= 0) return {};
  Size list[kMostDims];
  library().H5Sget_simple_extent_dims(space, list, nullptr);
  Sizes sizes;
  for (int d = 0; d < std::min(dims, kMostDims); ++d)
    sizes.push_back(static_cast<int64_t>(std::min<Size>(list[d], INT64_MAX)));
  return sizes;
}

Handle space_of(const Sizes& sizes) {
  if (sizes.empty()) return Handle(library().H5Screate(kScalar));
  Size list[kMostDims];
  std::copy(sizes.begin(), sizes.end(), list);
  return Handle(library().H5Screate_simple(static_cast<int>(sizes.size()), list, nullptr));
}

bool read_variable_texts(const Source& source, std::vector<std::string>& texts) {
  const Library& lib = library();
  const Handle type(lib.H5Tcopy(source.type));
  std::vector<char*> found(texts.size(), nullptr);
  const bool good = source.read(type.get(), found.data());
  for (size_t i = 0; good && i < found.size(); ++i)
    if (found[i]) texts[i] = found[i];
  lib.H5Dvlen_reclaim(type.get(), source.space, kDefault, found.data());
  return good;
}

// Ends at its first zero byte; the blanks that Fortran fills up with are cut off.
std::string cut(const char* text, size_t size) {
  std::string s(text, std::find(text, text + size, '\0'));
  s.erase(s.find_last_not_of(' ') + 1);
  return s;
}

bool read_fixed_texts(const Source& source, std::vector<std::string>& texts) {
  const size_t size = library().H5Tget_size(source.type);
  std::vector<char> found(texts.size() * size);
  if (!source.read(source.type, found.data())) return false;
  for (size_t i = 0; i < texts.size(); ++i) texts[i] = cut(found.data() + i * size, size);
  return true;
}

/// Chunks of about a megabyte, cut along the first dimensions.
Sizes usual_chunks(const Sizes& sizes, int64_t item) {
  Sizes chunks = sizes;
  int64_t bytes = numel_of(sizes) * item;
  for (size_t d = 0; d < chunks.size() && bytes > kChunkBytes; ++d) {
    const int64_t row = bytes / chunks[d];
    chunks[d] = std::max<int64_t>(1, kChunkBytes / std::max<int64_t>(row, 1));
    bytes = row * chunks[d];
  }
  return chunks;
}

std::string parent_end(const std::string& name, size_t& at) {
  at = name.find('/', at + 1);
  return name.substr(0, at);
}

int take_name(Identifier, const char* name, const void*, void* to) {
  static_cast<std::vector<std::string>*>(to)->emplace_back(name);
  return 0;
}

}  // namespace

// ---- the file ----

File::File(std::string path, const std::string& place, Mode mode, int64_t bytes)
    : path_(std::move(path)), mode_(mode), file_bytes_(bytes) {
  const Library& lib = library();
  file_ =
      Handle(mode == Mode::Write ? lib.H5Fcreate(place.c_str(), kTruncate, kDefault, kDefault)
                                 : lib.H5Fopen(place.c_str(), mode == Mode::Read ? kReadOnly : kReadWrite, kDefault));
  if (!file_) wrong("open", "is not a file of HDF5, or damaged (", last_error(), ")");
}

void File::close() {
  const bool good = library().H5Fclose(file_.release()) >= 0;
  if (!good) wrong("close", "cannot be written (", last_error(), ")");
  if (broken_) wrong("close", "stays as it was: not everything could be written");
}

void File::check_writes(const char* operation) const {
  if (mode_ == Mode::Read) wrong(operation, "is open for reading only");
}

void File::check_read(bool good, const char* operation, const std::string& name) const {
  if (!good) wrong(operation, "has a '", name, "' that cannot be read (", last_error(), ")");
}

void File::check_written(bool good, const char* operation, const std::string& name) const {
  if (!good) wrong(operation, "cannot take '", name, "' (", last_error(), ")");
}

void File::check_arrived(bool good, const char* operation, const std::string& name) {
  broken_ = broken_ || !good;
  check_written(good, operation, name);
}

// The library asks for every group on the way.
bool File::holds(const std::string& name) const {
  if (name.find_first_not_of('/') == std::string::npos) return true;
  for (size_t at = 0; at != std::string::npos;) {
    const std::string part = parent_end(name, at);
    if (part.empty() || part.back() == '/') continue;
    if (library().H5Lexists(file_.get(), part.c_str(), kDefault) <= 0) return false;
  }
  return true;
}

Handle File::object(const std::string& name, const char* operation, int kind) {
  const Library& lib = library();
  if (name.empty() || name.find('\0') != std::string::npos)
    wrong(operation, "has no name that is empty or has a zero byte");
  if (!holds(name)) wrong(operation, "has no '", name, "'");
  Handle found(lib.H5Oopen(file_.get(), name.c_str(), kDefault));
  if (!found) wrong(operation, "has a '", name, "' that cannot be opened (", last_error(), ")");
  const int type = lib.H5Iget_type(found.get());
  if (type != kGroup && type != kDataset) wrong(operation, "has a '", name, "' that is neither a group nor a data set");
  if (kind && type != kind) wrong(operation, "has a '", name, "' that is no ", kind == kGroup ? "group" : "data set");
  return found;
}

void File::check_size(const char* operation, const std::string& name, const Sizes& sizes, size_t item,
                      int64_t inflation, int64_t allowed) const {
  int64_t bytes = static_cast<int64_t>(std::min(item, size_t{1} << 40));
  bool fits = true;
  for (const int64_t n : sizes) fits = fits && !__builtin_mul_overflow(bytes, n, &bytes);
  if (!fits || (bytes > allowed && bytes / inflation > file_bytes_))
    wrong(operation, "is damaged: its ", file_bytes_, " bytes cannot hold ", sizes, " elements in '", name, "'");
}

// ---- groups ----

About File::about(const std::string& name, const std::string& operation) {
  const Library& lib = library();
  const Handle found = object(name, operation.c_str());
  About about;
  about.is_group = lib.H5Iget_type(found.get()) == kGroup;
  if (about.is_group) return about;
  about.sizes = sizes_of(Handle(lib.H5Dget_space(found.get())).get());
  about.dtype = dtype_of(Handle(lib.H5Dget_type(found.get())).get());
  return about;
}

bool File::exists(const std::string& name) { return holds(name); }

std::vector<std::string> File::keys(const std::string& group) {
  const Handle found = object(group, "keys", kGroup);
  std::vector<std::string> names;
  Size at = 0;
  check_read(library().H5Literate(found.get(), kByName, kIncreasing, &at, take_name, &names) >= 0, "keys", group);
  return names;
}

void File::make_group(const std::string& name) {
  check_writes("create_group");
  const Library& lib = library();
  if (holds(name)) wrong("create_group", "has a '", name, "' already");
  const Handle link(lib.H5Pcreate(*lib.H5P_CLS_LINK_CREATE_ID_g));
  lib.H5Pset_create_intermediate_group(link.get(), 1);
  const Handle group(lib.H5Gcreate2(file_.get(), name.c_str(), link.get(), kDefault, kDefault));
  check_written(static_cast<bool>(group), "create_group", name);
}

void File::remove(const std::string& name) {
  check_writes("remove");
  object(name, "remove");
  check_written(library().H5Ldelete(file_.get(), name.c_str(), kDefault) >= 0, "remove", name);
}

// ---- data sets ----

namespace {

// Unsigned numbers that are too large have been cut to the largest.
bool are_cut(const Source& source, const Tensor& x) {
  if (x.dtype() != DType::Int64 || library().H5Tget_class(source.type) != kInteger ||
      library().H5Tget_sign(source.type) != kUnsigned || library().H5Tget_size(source.type) != 8)
    return false;
  const int64_t* const first = x.data<int64_t>();
  return std::find(first, first + x.numel(), INT64_MAX) != first + x.numel();
}

// The elements that `source` has, of a type that we have.
bool read_numbers(const Source& source, const Sizes& sizes, DType dtype, Tensor& out) {
  out = empty(sizes, dtype);
  if (out.numel() == 0) return true;
  const Handle type = type_of(dtype);
  return source.read(type.get(), out.bytes()) && holds_booleans(out);
}

// Bytes of an element in the file.
size_t item_bytes(Identifier type) {
  const bool is_variable = library().H5Tget_class(type) == kString && library().H5Tis_variable_str(type) > 0;
  return is_variable ? kTextBytes : library().H5Tget_size(type);
}

bool read_texts(const Source& source, const Sizes& sizes, Value& value) {
  value.sizes = sizes;
  value.texts.resize(static_cast<size_t>(numel_of(sizes)));
  if (value.texts.empty()) return true;
  return library().H5Tis_variable_str(source.type) > 0 ? read_variable_texts(source, value.texts)
                                                       : read_fixed_texts(source, value.texts);
}

}  // namespace

Value File::elements(const Source& source, const Sizes& sizes, const char* operation, const std::string& name) const {
  Value value;
  if (library().H5Tget_class(source.type) == kString) {
    check_read(read_texts(source, sizes, value), operation, name);
    return value;
  }
  check_read(read_numbers(source, sizes, *dtype_of(source.type), value.numbers), operation, name);
  if (are_cut(source, value.numbers))
    wrong(operation, "has a '", name, "' that is not read: unsigned numbers from 2^63 on have no dtype");
  return value;
}

Value File::read(const std::string& name, const std::vector<Range>& ranges) {
  const Library& lib = library();
  const Handle set = object(name, "read", kDataset);
  const Handle settings(lib.H5Dget_create_plist(set.get()));
  if (lib.H5Pget_layout(settings.get()) == kVirtual || lib.H5Pget_external_count(settings.get()) > 0)
    wrong("read", "has elements of '", name, "' in other files, which are not read");
  const Handle type(lib.H5Dget_type(set.get())), space(lib.H5Dget_space(set.get()));
  const int kind = lib.H5Sget_simple_extent_type(space.get());
  if (kind != kScalar && kind != kSimple) wrong("read", "has nothing in '", name, "'");
  Sizes sizes = sizes_of(space.get());
  if (!ranges.empty()) {
    FACULA_ASSERT(ranges.size() == sizes.size());
    Size start[kMostDims], step[kMostDims], count[kMostDims];
    for (size_t d = 0; d < sizes.size(); ++d) {
      start[d] = static_cast<Size>(ranges[d].start);
      step[d] = static_cast<Size>(ranges[d].step);
      count[d] = static_cast<Size>(ranges[d].count);
      sizes[d] = ranges[d].count;
    }
    const int selected = lib.H5Sselect_hyperslab(space.get(), kSelect, start, step, count, nullptr);
    if (numel_of(sizes) > 0) check_read(selected >= 0, "read", name);
  }
  const bool is_text = lib.H5Tget_class(type.get()) == kString;
  const OptDType dtype = dtype_of(type.get());
  if (!is_text && !dtype) wrong("read", "has elements of a type in '", name, "' that no dtype has");
  check_size("read", name, sizes, item_bytes(type.get()),
             lib.H5Pget_layout(settings.get()) == kChunked ? kInflation : 1, is_text ? 0 : kAlwaysAllowed);
  const Handle memory = space_of(sizes);
  const Source source{type.get(), memory.get(), [&](Identifier memory_type, void* to) {
                        return lib.H5Dread(set.get(), memory_type, memory.get(), space.get(), kDefault, to) >= 0;
                      }};
  return elements(source, sizes, "read", name);
}

namespace {

/// What the library takes from memory: elements, or addresses of texts.
class Elements {
 public:
  explicit Elements(const Value& value) {
    if (value.numbers.defined()) {
      dense_ = dense_on_host(value.numbers);
      type_ = type_of(dense_.dtype());
      return;
    }
    type_ = text_type();
    for (const std::string& s : value.texts) {
      check(s.find('\0') == std::string::npos, "hdf5: a text has a zero byte in it");
      texts_.push_back(s.c_str());
    }
  }

  Identifier type() const { return type_.get(); }
  const void* address() const { return dense_.defined() ? static_cast<const void*>(dense_.bytes()) : texts_.data(); }

 private:
  Tensor dense_;
  Handle type_;
  std::vector<const char*> texts_;
};

const Sizes& sizes_of(const Value& value) { return value.numbers.defined() ? value.numbers.sizes() : value.sizes; }

}  // namespace

void File::write(const std::string& name, const Value& value, const Storage& storage) {
  check_writes("write");
  const Library& lib = library();
  check(!name.empty() && name.find('\0') == std::string::npos, "hdf5.write: a name is empty or has a zero byte");
  if (holds(name)) wrong("write", "has a '", name, "' already");
  const Elements elements(value);
  const Sizes& sizes = sizes_of(value);
  check(sizes.size() <= kMostDims, "hdf5.write: the format has at most ", kMostDims, " dimensions, got ", sizes.size());
  const Handle link(lib.H5Pcreate(*lib.H5P_CLS_LINK_CREATE_ID_g));
  lib.H5Pset_create_intermediate_group(link.get(), 1);
  const Handle settings(lib.H5Pcreate(*lib.H5P_CLS_DATASET_CREATE_ID_g));
  lib.H5Pset_obj_track_times(settings.get(), false);  // equal contents give equal files
  const bool chunked = numel_of(sizes) > 0 && !sizes.empty() && (!storage.chunks.empty() || storage.compression > 0);
  if (chunked) {
    const Sizes chunks = storage.chunks.empty()
                             ? usual_chunks(sizes, static_cast<int64_t>(lib.H5Tget_size(elements.type())))
                             : storage.chunks;
    Size list[kMostDims];
    std::copy(chunks.begin(), chunks.end(), list);
    check_written(lib.H5Pset_chunk(settings.get(), static_cast<int>(chunks.size()), list) >= 0, "write", name);
    if (storage.compression > 0) {
      lib.H5Pset_shuffle(settings.get());
      check_written(lib.H5Pset_deflate(settings.get(), static_cast<unsigned>(storage.compression)) >= 0, "write", name);
    }
  }
  const Handle space = space_of(sizes);
  Handle set(
      lib.H5Dcreate2(file_.get(), name.c_str(), elements.type(), space.get(), link.get(), settings.get(), kDefault));
  check_written(static_cast<bool>(set), "write", name);
  if (numel_of(sizes) > 0)
    check_arrived(lib.H5Dwrite(set.get(), elements.type(), kAll, kAll, kDefault, elements.address()) >= 0, "write",
                  name);
  check_arrived(set.close(), "write", name);  // a short one is written only now
  file_bytes_ += numel_of(sizes) * static_cast<int64_t>(lib.H5Tget_size(elements.type()));
}

// ---- attributes ----

std::vector<std::string> File::attributes(const std::string& name) {
  const Handle found = object(name, "attributes");
  std::vector<std::string> keys;
  Size at = 0;
  check_read(library().H5Aiterate2(found.get(), kByName, kIncreasing, &at, take_name, &keys) >= 0, "attributes", name);
  return keys;
}

std::optional<Value> File::attribute(const std::string& name, const std::string& key) {
  const Library& lib = library();
  const Handle found = object(name, "attribute");
  if (lib.H5Aexists(found.get(), key.c_str()) <= 0) return {};
  const Handle held(lib.H5Aopen(found.get(), key.c_str(), kDefault));
  check_read(static_cast<bool>(held), "attribute", key);
  const Handle type(lib.H5Aget_type(held.get())), space(lib.H5Aget_space(held.get()));
  const Sizes sizes = sizes_of(space.get());
  const int kind = lib.H5Sget_simple_extent_type(space.get());
  const bool is_text = lib.H5Tget_class(type.get()) == kString;
  const OptDType dtype = dtype_of(type.get());
  if ((kind != kScalar && kind != kSimple) || (!is_text && !dtype))
    wrong("attribute", "has an attribute '", key, "' that no dtype has");
  check_size("attribute", key, sizes, item_bytes(type.get()), 1, 0);
  const Source source{type.get(), space.get(),
                      [&](Identifier memory_type, void* to) { return lib.H5Aread(held.get(), memory_type, to) >= 0; }};
  return elements(source, sizes, "attribute", key);
}

void File::set_attribute(const std::string& name, const std::string& key, const Value& value) {
  check_writes("set_attribute");
  const Library& lib = library();
  check(!key.empty() && key.find('\0') == std::string::npos, "hdf5.set_attribute: a name is empty or has a zero byte");
  const Handle found = object(name, "set_attribute");
  const Elements elements(value);
  if (lib.H5Aexists(found.get(), key.c_str()) > 0) lib.H5Adelete(found.get(), key.c_str());
  const Handle space = space_of(sizes_of(value));
  const Handle held(lib.H5Acreate2(found.get(), key.c_str(), elements.type(), space.get(), kDefault, kDefault));
  check_written(
      held && (numel_of(sizes_of(value)) == 0 || lib.H5Awrite(held.get(), elements.type(), elements.address()) >= 0),
      "set_attribute", key);
}

}  // namespace facula::hdf5
