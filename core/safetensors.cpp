#include "core/safetensors.h"

#include <algorithm>
#include <deque>
#include <functional>
#include <optional>
#include <tuple>

#include "core/iterator.h"
#include "core/json.h"
#include "core/mapped_file.h"

namespace facula {
namespace {

constexpr uint64_t kStart = 8;  // of the header
constexpr int kMostLevels = 100;
constexpr double kLargest = 0x1p53;
constexpr std::string_view kMetadata = "__metadata__";

struct Element {
  std::string_view name;
  DType dtype;
  bool is_unsigned = false;
};
constexpr Element kElements[] = {
    {"F32", DType::Float32},     {"F16", DType::Float16},     {"BF16", DType::BFloat16}, {"F64", DType::Float64},
    {"I64", DType::Int64},       {"I32", DType::Int32},       {"I16", DType::Int16},     {"I8", DType::Int8},
    {"U8", DType::UInt8},        {"BOOL", DType::Bool},       {"C64", DType::Complex64}, {"U16", DType::Int16, true},
    {"U32", DType::Int32, true}, {"U64", DType::Int64, true},
};

using Text = std::pair<std::string, std::string>;

struct Row {
  std::string name;
  const Element* element = nullptr;
  Sizes shape;
  uint64_t first = 0, last = 0;  // bytes, of those behind the header
};

/// Takes rows and metadata from the header. On level 1 are names, on level 2 the fields of a row, on level 3 their items.
class Header final : public JsonVisitor {
 public:
  explicit Header(const MappedFile& file) : file_(file) {}

  void null() override { other(); }
  void boolean(bool) override { other(); }
  void number(double value, std::string_view) override {
    if (!list_ || level_ != 3) return other();
    described(value >= 0 && value <= kLargest && value == static_cast<double>(static_cast<int64_t>(value)) &&
              list_->size() < kMaxDims);
    list_->reserve(list_->size() + 1);
    list_->push_back(static_cast<int64_t>(value));
  }
  void string(std::string_view text) override {
    if (level_ != 2) return other();
    if (in_metadata_) {
      metadata.emplace_back(std::move(key_), text);
    } else if (field_ == Field::DType) {
      const auto found =
          std::find_if(std::begin(kElements), std::end(kElements), [&](const Element& e) { return e.name == text; });
      file_.valid(found != std::end(kElements), "tensor '", row().name, "' has the unknown dtype '", text, "'");
      row().element = found;
    } else {
      other();
    }
  }
  void begin_list() override {
    if (level_ == 2 && !in_metadata_ && field_ == Field::Shape)
      list_ = &row().shape;
    else if (level_ == 2 && !in_metadata_ && field_ == Field::Offsets)
      list_ = &offsets_;
    else
      other();
    ++level_;
  }
  void begin_table() override {
    if (level_ > 1) other();
    ++level_;
  }
  bool key(std::string_view name) override {
    if (level_ == 1) begin_row(name);
    if (level_ != 2) return true;
    if (in_metadata_) {
      key_ = name;
      return true;
    }
    field_ = name == "dtype"          ? Field::DType
             : name == "shape"        ? Field::Shape
             : name == "data_offsets" ? Field::Offsets
                                      : Field::Other;
    const unsigned bit = 1u << static_cast<int>(field_);
    const bool fresh = field_ == Field::Other || !(fields_ & bit);
    fields_ |= bit;
    return fresh;
  }
  void end() override {
    --level_;
    if (level_ == 2) list_ = nullptr;
    if (level_ == 1 && !in_metadata_) end_row();
  }

  std::deque<Row> rows;
  std::vector<Text> metadata;

 private:
  enum class Field : uint8_t { DType, Shape, Offsets, Other };
  static constexpr unsigned kAllFields = 7;

  Row& row() { return rows.back(); }
  void described(bool good) {
    file_.valid(good, "tensor '", row().name, "' is not described by dtype, shape and data_offsets");
  }
  void begin_row(std::string_view name) {
    in_metadata_ = name == kMetadata;
    fields_ = 0;
    offsets_.clear();
    if (!in_metadata_) rows.emplace_back().name = name;
  }
  void end_row() {
    described(row().element && (fields_ & kAllFields) == kAllFields && offsets_.size() == 2);
    row().first = static_cast<uint64_t>(offsets_[0]);
    row().last = static_cast<uint64_t>(offsets_[1]);
  }
  // A value where none of its kind belongs; in fields that nobody knows there may be any.
  void other() {
    if (level_ == 0) return;
    if (in_metadata_) file_.valid(false, kMetadata, " has other values than texts");
    described(level_ > 1 && field_ == Field::Other);
  }

  const MappedFile& file_;
  int level_ = 0;
  bool in_metadata_ = false;
  Field field_ = Field::Other;
  unsigned fields_ = 0;      // that the row has had
  IntList* list_ = nullptr;  // whose items are read
  IntList offsets_;
  std::string key_;
};

std::optional<uint64_t> product(const Sizes& sizes) {
  uint64_t numel = 1;
  bool empty = false;
  for (const int64_t n : sizes) {
    empty = empty || n == 0;
    if (__builtin_mul_overflow(numel, static_cast<uint64_t>(std::max<int64_t>(n, 1)), &numel)) return std::nullopt;
  }
  if (numel > static_cast<uint64_t>(kLargest)) return std::nullopt;
  return empty ? 0 : numel;
}

// By hashes first: a set of a million names would cost more than all the rest.
template <class Items, class Name>
void check_names(const MappedFile& file, const char* what, const Items& items, Name name) {
  std::vector<std::pair<size_t, std::string_view>> names;
  names.reserve(items.size());
  for (const auto& item : items) names.emplace_back(std::hash<std::string>()(item.*name), item.*name);
  std::sort(names.begin(), names.end());
  const auto twin = std::adjacent_find(names.begin(), names.end());
  file.valid(twin == names.end(), "it has two ", what, " '", twin == names.end() ? "" : twin->second, "'");
}

// The rows as they lie in the file, whose `available` bytes they fill without gap or overlap.
std::vector<Row*> in_order(const MappedFile& file, std::deque<Row>& rows, uint64_t available) {
  for (const Row& row : rows) {
    file.valid(row.first <= row.last && row.last <= available, "tensor '", row.name, "' lies from byte ", row.first,
               " to ", row.last, " of ", available);
    const uint64_t bytes = row.last - row.first, item = static_cast<uint64_t>(item_size(row.element->dtype));
    const std::optional<uint64_t> numel = product(row.shape);
    file.valid(numel && bytes % item == 0 && *numel == bytes / item, "tensor '", row.name, "' ", row.shape, " of ",
               row.element->name, " does not fill ", bytes, " bytes");
  }
  std::vector<Row*> sorted;
  for (Row& row : rows) sorted.push_back(&row);
  const auto before = [](const Row* a, const Row* b) {
    return std::make_tuple(a->first, a->last, std::string_view(a->name)) <
           std::make_tuple(b->first, b->last, std::string_view(b->name));
  };
  if (!std::is_sorted(sorted.begin(), sorted.end(), before)) std::sort(sorted.begin(), sorted.end(), before);
  uint64_t at = 0;
  for (const Row* row : sorted) {
    file.valid(row->first == at, "tensor '", row->name, "' begins at byte ", row->first, ", the one before ends at ",
               at);
    at = row->last;
  }
  file.valid(at == available, "there are ", available - at, " bytes behind the last tensor");
  return sorted;
}

// The header's bytes. They may be many, for which memory of tensors is the cheapest.
Tensor header_bytes(MappedFile& file, bool mapped) {
  file.valid(file.size() >= kStart, "it is too short for a header");
  const std::string bytes = file.bytes(0, kStart);
  uint64_t length = 0;
  for (int i = 7; i >= 0; --i) length = length << 8 | static_cast<unsigned char>(bytes[static_cast<size_t>(i)]);
  file.valid(length >= 2 && length <= kLongestSafetensorsHeader && length <= file.size() - kStart, "its header of ",
             length, " bytes does not fit");
  Tensor text = file.tensor(kStart, DType::UInt8, {static_cast<int64_t>(length)}, mapped);
  file.valid(text.bytes()[0] == '{', "its header does not begin with '{'");
  return text;
}

}  // namespace

std::string_view safetensors_name(DType dtype) {
  for (const auto& [name, held, is_unsigned] : kElements)
    if (held == dtype && !is_unsigned) return name;
  return {};
}

Safetensors read_safetensors(const std::string& path, bool mapped) {
  MappedFile file(path, "load_safetensors");
  const Tensor text = header_bytes(file, mapped);
  Header header(file);
  try {
    read_json({text.bytes(), byte_count(text)}, header, kMostLevels);
  } catch (const JsonError& e) {
    file.valid(false, "its header is no JSON (", e.what(), ")");
  }
  const uint64_t start = kStart + byte_count(text);
  check_names(file, "tensors", header.rows, &Row::name);
  check_names(file, "texts", header.metadata, &Text::first);
  Safetensors out;
  out.names.reserve(header.rows.size());
  out.tensors.reserve(header.rows.size());
  for (Row* row : in_order(file, header.rows, file.size() - start)) {
    if (row->element->is_unsigned) out.unsigned_.push_back(out.names.size());
    out.tensors.push_back(file.tensor(start + row->first, row->element->dtype, row->shape, mapped));
    out.names.push_back(std::move(row->name));
  }
  out.metadata = std::move(header.metadata);
  return out;
}

}  // namespace facula
