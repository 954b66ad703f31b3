#include "core/zip.h"

#include <zlib.h>

#include <algorithm>

#include "core/crc32.h"
#include "core/error.h"
#include "core/parallel.h"

namespace facula {
namespace {

constexpr uint32_t kLocal = 0x04034b50, kCentral = 0x02014b50, kEnd = 0x06054b50, kEnd64 = 0x06064b50,
                   kLocator = 0x07064b50;
constexpr uint64_t kLocalSize = 30, kCentralSize = 46, kEndSize = 22, kEnd64Size = 56, kLocatorSize = 20;
constexpr uint64_t kLarge = 0xffffffff;                // such sizes and offsets stand in the 64-bit extension
constexpr uint16_t kExtension = 1, kPadding = 0x4246;  // ids of extra fields; PyTorch pads with the same
constexpr uint16_t kUtf8 = 1 << 11, kEncrypted = 1 << 0, kSizesFollow = 1 << 3;
constexpr uint16_t kNewYear1980 = 1 << 5 | 1;  // the first day of zip
constexpr uint64_t kChecksumAt = 14;           // in a local header
constexpr uint64_t kChunk = 256 << 10;         // the cache still has it for the checksum
constexpr uint64_t kMostInflation = 1032;      // of deflated bytes: 258 of them in 2 bits

/// Little-endian numbers, one behind the other.
class Record {
 public:
  Record& u16(uint64_t v) { return put(v, 2); }
  Record& u32(uint64_t v) { return put(v, 4); }
  Record& u64(uint64_t v) { return put(v, 8); }
  Record& text(std::string_view s) {
    bytes_ += s;
    return *this;
  }
  const std::string& bytes() const { return bytes_; }

 private:
  Record& put(uint64_t v, int n) {
    for (int i = 0; i < n; ++i) bytes_ += static_cast<char>(v >> 8 * i);
    return *this;
  }
  std::string bytes_;
};

/// Reads them again; what is missing at the end reads as zeros and is noticed by `good`.
class Fields {
 public:
  explicit Fields(std::string_view bytes) : rest_(bytes) {}
  uint16_t u16() { return static_cast<uint16_t>(get(2)); }
  uint32_t u32() { return static_cast<uint32_t>(get(4)); }
  uint64_t u64() { return get(8); }
  std::string_view text(size_t n) {
    if (n > rest_.size()) good_ = false;
    const std::string_view taken = rest_.substr(0, n);
    rest_.remove_prefix(taken.size());
    return taken;
  }
  void skip(size_t n) { text(n); }
  bool good() const { return good_; }
  bool empty() const { return rest_.empty(); }

 private:
  uint64_t get(size_t n) {
    const std::string_view taken = text(n);
    uint64_t v = 0;
    for (size_t i = taken.size(); i-- > 0;) v = v << 8 | static_cast<unsigned char>(taken[i]);
    return v;
  }
  std::string_view rest_;
  bool good_ = true;
};

ZipReader::Packing packing(uint16_t flags, uint16_t method) {
  if (flags & kEncrypted) return ZipReader::Packing::Unknown;
  if (method == 0) return ZipReader::Packing::Stored;
  return method == Z_DEFLATED ? ZipReader::Packing::Deflated : ZipReader::Packing::Unknown;
}

/// zlib's state while it inflates bytes without a header.
class Inflater {
 public:
  Inflater() {
    if (inflateInit2(&stream_, -MAX_WBITS) != Z_OK) throw OutOfMemory("inflate: out of memory");
  }
  ~Inflater() { inflateEnd(&stream_); }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;
  z_stream* get() { return &stream_; }
  z_stream* operator->() { return &stream_; }

 private:
  z_stream stream_{};
};

// The 64-bit extension: those of the values that are too large for their places, which then hold kLarge.
std::string extension(std::initializer_list<uint64_t> values) {
  Record large;
  for (const uint64_t v : values)
    if (v >= kLarge) large.u64(v);
  if (large.bytes().empty()) return {};
  return Record().u16(kExtension).u16(large.bytes().size()).text(large.bytes()).bytes();
}

// Takes the values that hold kLarge from the extra fields; false where they are not there.
bool extend(std::string_view extra, std::initializer_list<uint64_t*> values) {
  Fields fields(extra);
  while (!fields.empty()) {
    const uint16_t id = fields.u16(), size = fields.u16();
    Fields content(fields.text(size));
    if (!fields.good()) return false;
    if (id != kExtension) continue;
    for (uint64_t* v : values)
      if (*v == kLarge) *v = content.u64();
    return content.good();
  }
  return std::none_of(values.begin(), values.end(), [](const uint64_t* v) { return *v == kLarge; });
}

}  // namespace

// ---- writing -------------------------------------------------------------------------------------------------------------

void ZipWriter::add(const std::string& name, const void* data, uint64_t size, bool aligned) {
  begin(name, size, aligned);
  write(data, size);
  end();
}

void ZipWriter::begin(const std::string& name, uint64_t size, bool aligned) {
  const uint64_t offset = file_.position(), shown = std::min(size, kLarge);
  std::string extra = extension({size, size});
  if (aligned) {
    const uint64_t padding = -(offset + kLocalSize + name.size() + extra.size() + 4) % 64;
    extra += Record().u16(kPadding).u16(padding).text(std::string(padding, '\0')).bytes();
  }
  Record header;
  header.u32(kLocal).u16(shown == kLarge ? 45 : 20).u16(kUtf8).u16(0).u16(0).u16(kNewYear1980);
  header.u32(0).u32(shown).u32(shown).u16(name.size()).u16(extra.size()).text(name).text(extra);
  file_.write(header.bytes().data(), header.bytes().size());
  entries_.push_back({name, offset, size, 0});
}

void ZipWriter::write(const void* data, uint64_t size) {
  const auto* from = static_cast<const char*>(data);
  uint32_t& checksum = entries_.back().checksum;
  for (uint64_t done = 0; done < size; done += kChunk) {
    const uint64_t n = std::min(kChunk, size - done);
    checksum = crc32(checksum, from + done, n);
    file_.write(from + done, n);
  }
}

void ZipWriter::end() {
  const Entry& entry = entries_.back();
  const std::string checksum = Record().u32(entry.checksum).bytes();
  file_.rewrite(entry.offset + kChecksumAt, checksum.data(), checksum.size());
}

void ZipWriter::finish() {
  const uint64_t start = file_.position();
  for (const Entry& e : entries_) {
    const std::string extra = extension({e.size, e.size, e.offset});
    const uint64_t shown = std::min(e.size, kLarge);
    Record header;
    header.u32(kCentral).u16(45).u16(extra.empty() ? 20 : 45).u16(kUtf8).u16(0).u16(0).u16(kNewYear1980);
    header.u32(e.checksum).u32(shown).u32(shown).u16(e.name.size()).u16(extra.size()).u16(0).u16(0).u16(0).u32(0);
    header.u32(std::min(e.offset, kLarge)).text(e.name).text(extra);
    file_.write(header.bytes().data(), header.bytes().size());
  }
  const uint64_t end = file_.position(), size = end - start, count = entries_.size();
  Record last;
  if (count >= 0xffff || start >= kLarge || size >= kLarge) {
    last.u32(kEnd64).u64(kEnd64Size - 12).u16(45).u16(45).u32(0).u32(0).u64(count).u64(count).u64(size).u64(start);
    last.u32(kLocator).u32(0).u64(end).u32(1);
  }
  const uint64_t shown_count = std::min<uint64_t>(count, 0xffff);
  last.u32(kEnd).u16(0).u16(0).u16(shown_count).u16(shown_count).u32(std::min(size, kLarge));
  last.u32(std::min(start, kLarge)).u16(0);
  file_.write(last.bytes().data(), last.bytes().size());
  file_.commit();
}

// ---- reading -------------------------------------------------------------------------------------------------------------

ZipReader::ZipReader(const InputFile& file, std::string& wrong) : file_(file) {
  Directory directory;
  const char* problem = find_directory(directory);
  if (!problem) problem = read_directory(directory);
  if (!problem) problem = check_places();
  if (problem) wrong = problem;
}

// All are null, or what is wrong.
const char* ZipReader::find_directory(Directory& directory) const {
  const auto file_size = static_cast<uint64_t>(file_.size());
  char buffer[kEndSize];
  uint64_t end = file_size - kEndSize;
  if (file_size < kEndSize || !file_.read(end, kEndSize, buffer)) return "it is too short";
  Fields last({buffer, kEndSize});
  if (last.u32() != kEnd) return "its end is missing";
  last.skip(4);
  const uint16_t here = last.u16();
  directory.count = last.u16();
  directory.size = last.u32();
  directory.start = last.u32();
  if (here != directory.count || last.u16() != 0) return "its end is damaged";
  const bool large = directory.count == 0xffff || directory.size == kLarge || directory.start == kLarge;
  if (const char* problem = find_large_directory(directory, end, large)) return problem;
  const bool fits = directory.size <= end && directory.start == end - directory.size &&
                    directory.count <= directory.size / kCentralSize;
  return fits ? nullptr : "its directory lies elsewhere";
}

// The same in 64 bits, which stands before `end` where it has to, and in PyTorch's files always; moves `end` before it.
const char* ZipReader::find_large_directory(Directory& directory, uint64_t& end, bool needed) const {
  char buffer[kEnd64Size];
  const bool room = end >= kLocatorSize + kEnd64Size;
  if (room && !file_.read(end - kLocatorSize, kLocatorSize, buffer)) return "its end cannot be read";
  Fields locator({buffer, room ? kLocatorSize : 0});
  if (locator.u32() != kLocator) return needed ? "its end is damaged" : nullptr;
  const bool alone = locator.u32() == 0;
  end -= kLocatorSize + kEnd64Size;
  if (!alone || locator.u64() != end || !file_.read(end, kEnd64Size, buffer)) return "its end is damaged";
  Fields fields({buffer, kEnd64Size});
  if (fields.u32() != kEnd64) return "its end is damaged";
  fields.skip(20);
  const uint64_t here = fields.u64();
  directory.count = fields.u64();
  directory.size = fields.u64();
  directory.start = fields.u64();
  return here == directory.count ? nullptr : "its end is damaged";
}

const char* ZipReader::read_directory(const Directory& directory) {
  std::string all(directory.size, '\0');
  if (!file_.read(directory.start, directory.size, all.data())) return "its directory cannot be read";
  Fields fields(all);
  for (uint64_t i = 0; i < directory.count; ++i) {
    if (fields.u32() != kCentral) return "its directory is damaged";
    fields.skip(4);
    const uint16_t flags = fields.u16(), method = fields.u16();
    fields.skip(4);
    Entry entry;
    entry.checksum = fields.u32();
    entry.packed = fields.u32();
    entry.size = fields.u32();
    const uint16_t name_size = fields.u16(), extra_size = fields.u16(), comment_size = fields.u16();
    fields.skip(8);
    uint64_t offset = fields.u32();
    const std::string name(fields.text(name_size));
    const std::string_view extra = fields.text(extra_size);
    fields.skip(comment_size);
    if (!fields.good() || !extend(extra, {&entry.size, &entry.packed, &offset})) return "its directory is damaged";
    entry.packing = packing(flags, method);
    if (entry.stored() && entry.packed != entry.size) return "its directory is damaged";
    if (entry.size / kMostInflation > entry.packed) return "an entry claims to be larger than it can be";
    if (const char* problem = place(entry, name, offset, directory.start, flags & kSizesFollow)) return problem;
    if (!entries_.emplace(name, entry).second) return "two entries have one name";
  }
  return fields.empty() ? nullptr : "its directory is damaged";
}

// Finds where the entry's bytes start, behind the local header at `offset`, which must agree; all lies before `end`.
const char* ZipReader::place(Entry& entry, const std::string& name, uint64_t offset, uint64_t end,
                             bool sizes_follow) const {
  char header[kLocalSize];
  if (end < kLocalSize || offset > end - kLocalSize || !file_.read(offset, kLocalSize, header))
    return "an entry lies outside";
  Fields fields({header, kLocalSize});
  if (fields.u32() != kLocal) return "an entry is damaged";
  fields.skip(10);
  const uint32_t checksum = fields.u32();
  uint64_t local_packed = fields.u32(), size = fields.u32();
  const uint16_t name_size = fields.u16(), extra_size = fields.u16();
  const uint64_t start = offset + kLocalSize + name_size + extra_size;
  if (start > end || entry.packed > end - start) return "an entry lies outside";
  std::string names(size_t{name_size} + extra_size, '\0');
  if (!file_.read(offset + kLocalSize, names.size(), names.data())) return "an entry cannot be read";
  if (!extend(std::string_view(names).substr(name_size), {&size, &local_packed})) return "an entry is damaged";
  const bool agrees = checksum == entry.checksum && size == entry.size && local_packed == entry.packed;
  if (names.compare(0, name_size, name) != 0 || !(agrees || sizes_follow))
    return "an entry says something else than the directory";
  entry.start = start;
  return nullptr;
}

// Headers lie between the bytes of entries, so bytes that follow each other without overlap leave room for them.
const char* ZipReader::check_places() const {
  std::vector<const Entry*> sorted;
  for (const auto& [name, entry] : entries_) sorted.push_back(&entry);
  std::sort(sorted.begin(), sorted.end(), [](const Entry* a, const Entry* b) { return a->start < b->start; });
  for (size_t i = 1; i < sorted.size(); ++i)
    if (sorted[i]->start - sorted[i - 1]->start < sorted[i - 1]->packed + kLocalSize) return "entries overlap";
  return nullptr;
}

const ZipReader::Entry* ZipReader::find(const std::string& name) const {
  const auto found = entries_.find(name);
  return found == entries_.end() ? nullptr : &found->second;
}

bool ZipReader::read(const Entry& entry, char* to) const {
  uint32_t checksum = 0;
  if (!entry.stored() && !inflate(entry, to, entry.size)) return false;
  for (uint64_t done = 0; done < entry.size; done += kChunk) {
    if (interrupt_requested()) throw Interrupted();
    const uint64_t n = std::min(kChunk, entry.size - done);
    if (entry.stored() && !file_.read(entry.start + done, n, to + done)) return false;
    checksum = crc32(checksum, to + done, n);
  }
  return checksum == entry.checksum;
}

std::string ZipReader::head(const Entry& entry, uint64_t size) const {
  std::string out(std::min(size, entry.size), '\0');
  const bool good =
      entry.stored() ? file_.read(entry.start, out.size(), out.data()) : inflate(entry, out.data(), out.size());
  return good ? out : std::string();
}

// The first `size` bytes of a deflated entry; where they are all, its data must end there, too.
bool ZipReader::inflate(const Entry& entry, char* to, uint64_t size) const {
  if (entry.packing != Packing::Deflated) return false;
  Inflater inflater;
  std::string packed;
  uint64_t taken = 0, made = 0;
  Bytef overflow;
  for (int code = Z_OK; code != Z_STREAM_END && (made < size || size == entry.size);) {
    if (interrupt_requested()) throw Interrupted();
    if (inflater->avail_in == 0) {
      packed.resize(std::min(kChunk, entry.packed - taken));
      if (packed.empty() || !file_.read(entry.start + taken, packed.size(), packed.data())) return false;
      taken += packed.size();
      inflater->next_in = reinterpret_cast<Bytef*>(packed.data());
      inflater->avail_in = static_cast<uInt>(packed.size());
    }
    const uint64_t room = std::min(kChunk, size - made);
    inflater->next_out = room ? reinterpret_cast<Bytef*>(to + made) : &overflow;
    inflater->avail_out = static_cast<uInt>(std::max<uint64_t>(room, 1));
    code = ::inflate(inflater.get(), Z_NO_FLUSH);
    const uint64_t n = std::max<uint64_t>(room, 1) - inflater->avail_out;
    if ((code != Z_OK && code != Z_STREAM_END) || n > room) return false;
    made += n;
  }
  return made == size;
}

}  // namespace facula
