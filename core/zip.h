// Zip archives of stored entries (PKWARE's APPNOTE 6.3.9, with its 64-bit extension): all that files of tensors need.
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
  ZipWriter(const std::string& path, const char* operation);
  ~ZipWriter();
  ZipWriter(const ZipWriter&) = delete;
  ZipWriter& operator=(const ZipWriter&) = delete;

  /// `aligned` bytes start at a multiple of 64 in the file.
  void add(const std::string& name, const void* data, uint64_t size, bool aligned = false);
  void finish();

 private:
  struct Entry {
    std::string name;
    uint64_t offset, size;
    uint32_t checksum;
  };

  void write(const void* data, uint64_t size);
  uint32_t write_checked(const char* data, uint64_t size);
  void patch(uint64_t offset, uint32_t value);

  Replacement file_;
  int descriptor_;
  uint64_t position_ = 0;
  std::vector<Entry> entries_;
};

/// An archive that has been found consistent: its directory fills the end of the file, its entries have names of their own,
/// lie before the directory and not on each other, and say of themselves what the directory says.
class ZipReader {
 public:
  struct Entry {
    uint64_t start, size;  // of the bytes, in the file
    uint32_t checksum;
    bool stored;  // neither compressed nor encrypted
  };

  /// `wrong` is what is wrong with it; empty for a good one.
  ZipReader(const InputFile& file, std::string& wrong);

  size_t size() const { return entries_.size(); }
  const Entry* find(const std::string& name) const;
  /// Copies the entry's bytes; false if they cannot be read or have another checksum. Errors: an interrupt.
  bool read(const Entry& entry, char* to) const;

 private:
  struct Directory {
    uint64_t start = 0, size = 0, count = 0;
  };

  const char* find_directory(Directory& directory) const;
  const char* read_directory(const Directory& directory);
  const char* place(Entry& entry, const std::string& name, uint64_t offset, uint64_t packed, uint64_t end) const;
  const char* check_places() const;
  bool bytes(uint64_t at, uint64_t size, void* to) const;

  const InputFile& file_;
  std::map<std::string, Entry, std::less<>> entries_;
};

}  // namespace facula
