#include "core/archive.h"

#include <algorithm>
#include <optional>

#include "core/iterator.h"
#include "core/json.h"
#include "core/mapped_file.h"
#include "core/zip.h"

namespace facula {
namespace {

constexpr std::string_view kVersion = "1";
constexpr const char *kVersionEntry = "facula/version", *kDescriptionEntry = "facula/description",
                     *kTensorsEntry = "facula/tensors";
constexpr int kHeaderEntries = 3;
constexpr uint64_t kMostRowBytes = 2048;  // of JSON for one tensor: 64 sizes of 20 digits, and the words around them

std::string entry_name(size_t i) { return "tensors/" + std::to_string(i); }

// ---- writing --------------------------------------------------------------------------------------------------------------

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

// ---- reading --------------------------------------------------------------------------------------------------------------

struct Row {
  DType dtype;
  Sizes sizes;
  uint64_t bytes;
};

class Reader {
 public:
  explicit Reader(const std::string& path) : path_(path), file_(path, "load"), zip_(file_.input(), wrong_) {
    check(wrong_.empty(), "load: '", path_, "' is not a file of torch.save, or only a part of one (", wrong_, ")");
    check(zip_.find(kVersionEntry), "load: '", path_, "' is a zip archive, but not a file of torch.save");
    const std::string version = content(kVersionEntry, 32);
    check(version == kVersion, "load: '", path_, "' has format ", version, ", this program reads format ", kVersion);
  }

  std::string description() { return content(kDescriptionEntry, static_cast<uint64_t>(file_.size())); }

  /// What the file says of its tensors, found true as far as it can be without reading them.
  std::vector<Row> rows() {
    const std::string json = content(kTensorsEntry, zip_.size() * kMostRowBytes);
    const std::optional<Json> list = parse_json(json);
    const size_t count = zip_.size() - kHeaderEntries;
    valid(list && list->kind == Json::Kind::Array, kTensorsEntry, " is not a list in JSON");
    valid(list->items.size() == count, "it lists ", list->items.size(), " tensors and has ", count);
    std::vector<Row> rows;
    uint64_t total = 0;
    for (const Json& item : list->items) {
      rows.push_back(row(item, entry_name(rows.size())));
      total += rows.back().bytes;
      valid(total <= static_cast<uint64_t>(file_.size()), "its tensors overlap");
    }
    return rows;
  }

  Tensor tensor(const Row& row, size_t i, Device device, bool mapped) {
    const std::string name = entry_name(i);
    const Tensor x = mapped ? file_.tensor(entry(name).start, row.dtype, row.sizes, true) : empty(row.sizes, row.dtype);
    if (!mapped) read(name, x.bytes());
    valid(holds_booleans(x), name, " has other values than true and false");
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

  /// A stored entry that fits into the file.
  const ZipReader::Entry& entry(const std::string& name) {
    const ZipReader::Entry* found = zip_.find(name);
    valid(found, name, " is missing");
    valid(found->stored(), name, " is compressed or encrypted");
    return *found;
  }

  std::string content(const char* name, uint64_t most) {
    const uint64_t size = entry(name).size;
    valid(size <= most, name, " is too long");
    std::string out(size, '\0');
    read(name, out.data());
    return out;
  }

  void read(const std::string& name, char* to) {
    valid(zip_.read(entry(name), to), name, " cannot be read, or has another checksum");
  }

  Row row(const Json& item, const std::string& name) {
    const Json *const dtype = item.field("dtype"), *const shape = item.field("shape"),
                      *const bytes = item.field("bytes");
    const bool complete = item.items.size() == 3 && dtype && dtype->kind == Json::Kind::String && shape &&
                          shape->kind == Json::Kind::Array && bytes && bytes->integer().value_or(-1) >= 0;
    valid(complete, name, " is not described by dtype, shape and bytes");
    Row out;
    out.bytes = static_cast<uint64_t>(*bytes->integer());
    const OptDType known = dtype_of_name(dtype->text);
    valid(known.has_value(), name, " has the unknown dtype '", dtype->text, "'");
    out.dtype = *known;
    valid(shape->items.size() <= kMaxDims, name, " has more than ", kMaxDims, " dimensions");
    int64_t numel = 1, reach = item_size(*known);
    for (const Json& size : shape->items) {
      const int64_t n = size.integer().value_or(-1);
      valid(n >= 0, name, " has a size that is none");
      numel *= n != 0;
      valid(!__builtin_mul_overflow(reach, std::max<int64_t>(n, 1), &reach), name, " is larger than any memory");
      out.sizes.push_back(n);
    }
    valid(out.bytes == static_cast<uint64_t>(numel * reach) && entry(name).size == out.bytes, name, " has ",
          entry(name).size, " bytes, ", out.sizes, " of ", *known, " need ", numel * reach);
    return out;
  }

  std::string path_, wrong_;
  MappedFile file_;
  ZipReader zip_;
};

}  // namespace

void write_archive(const std::string& path, std::string_view description, const Tensors& tensors) {
  for (const Tensor& x : tensors) check(!x.is_meta(), "save: a meta tensor has no elements");
  const std::string rows = rows_of(tensors);
  ZipWriter writer(path, "save");
  writer.add(kVersionEntry, kVersion.data(), kVersion.size());
  writer.add(kDescriptionEntry, description.data(), description.size());
  writer.add(kTensorsEntry, rows.data(), rows.size());
  for (size_t i = 0; i < tensors.size(); ++i)
    writer.add(entry_name(i), dense_on_host(tensors[i]).bytes(), byte_count(tensors[i]), true);
  writer.finish();
}

Archive read_archive(const std::string& path, Device device, bool mapped) {
  Reader reader(path);
  Archive archive{reader.description(), {}};
  const std::vector<Row> rows = reader.rows();
  for (size_t i = 0; i < rows.size(); ++i) archive.tensors.push_back(reader.tensor(rows[i], i, device, mapped));
  return archive;
}

}  // namespace facula
