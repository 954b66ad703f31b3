// Zip archives (PKWARE's APPNOTE 6.3.9, with its 64-bit extension) as files of tensors have them: stored entries are
// written, deflated ones are read, too.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/file.h"

namespace facula {

/// Writes an archive front to back into a file that takes its name at `finish`. Equal contents give equal files. Errors: the
/// system's, in the words of Replacement; an interrupt.
class ZipWriter {
 public:
  ZipWriter(const std::string& path, const std::string& operation) : file_(path, operation) {}

  /// `aligned` bytes start at a multiple of 64 in the file.
  void add(const std::string& name, const void* data, uint64_t size, bool aligned = false);
  /// The same piece by piece: `begin`, then `write` for all of `size` bytes, then `end`.
  void begin(const std::string& name, uint64_t size, bool aligned);
  void write(const void* data, uint64_t size);
  void end();
  void finish();

 private:
  struct Entry {
    std::string name;
    uint64_t offset, size;
    uint32_t checksum;
  };

  Replacement file_;
  std::vector<Entry> entries_;
};

/// An archive that has been found consistent: its directory fills the end of the file, its entries have names of their own,
/// lie before the directory and not on each other, and say of themselves what the directory says.
class ZipReader {
 public:
  enum class Packing : uint8_t { Stored, Deflated, Unknown };
  struct Entry {
    uint64_t start, packed;  // of the bytes, in the file
    uint64_t size;           // of what they stand for
    uint32_t checksum;
    Packing packing;  // encrypted ones count as unknown

    bool stored() const { return packing == Packing::Stored; }
  };
  using Entries = std::map<std::string, Entry, std::less<>>;

  /// `wrong` is what is wrong with it; empty for a good one.
  ZipReader(const InputFile& file, std::string& wrong);

  size_t size() const { return entries_.size(); }
  const Entries& entries() const { return entries_; }
  const Entry* find(const std::string& name) const;
  /// Copies or inflates the entry's bytes; false if they cannot be read, have another length or another checksum, or are
  /// packed in an unknown way. Errors: an interrupt.
  bool read(const Entry& entry, char* to) const;
  /// The first bytes, at most `size`, unchecked; fewer if they cannot be read.
  std::string head(const Entry& entry, uint64_t size) const;

 private:
  struct Directory {
    uint64_t start = 0, size = 0, count = 0;
  };

  const char* find_directory(Directory& directory) const;
  const char* find_large_directory(Directory& directory, uint64_t& end, bool needed) const;
  const char* read_directory(const Directory& directory);
  const char* place(Entry& entry, const std::string& name, uint64_t offset, uint64_t end, bool sizes_follow) const;
  const char* check_places() const;
  bool inflate(const Entry& entry, char* to, uint64_t size) const;

  const InputFile& file_;
  Entries entries_;
};

}  // namespace facula
