// Archives of others: what is deflated, and what lies about it.
#include "core/zip.h"

#include <doctest/doctest.h>
#include <zip.h>

#include <cstring>

#include "core/error.h"
#include "tests/core/folder.h"

namespace facula::test {
namespace {

// One entry, compressed by libzip.
void write_entry(const std::string& path, const std::string& bytes, int method, int encryption = ZIP_EM_NONE) {
  zip_t* const zip = zip_open(path.c_str(), ZIP_CREATE | ZIP_TRUNCATE, nullptr);
  const auto at = zip_file_add(zip, "entry", zip_source_buffer(zip, bytes.data(), bytes.size(), 0), 0);
  REQUIRE(zip_set_file_compression(zip, static_cast<zip_uint64_t>(at), method, 0) == 0);
  REQUIRE(zip_file_set_encryption(zip, static_cast<zip_uint64_t>(at), static_cast<zip_uint16_t>(encryption), "a") == 0);
  REQUIRE(zip_close(zip) == 0);
}

// In the local header and in the directory.
void claim_size(const std::string& path, uint32_t size) {
  std::string bytes = contents(path);
  std::memcpy(&bytes[22], &size, 4);
  std::memcpy(&bytes[bytes.find("PK\1\2") + 24], &size, 4);
  put(path, bytes);
}

struct Opened {
  explicit Opened(const std::string& path) : file(path, "load"), zip(file, wrong) {}
  bool read(std::string& out) const {
    const ZipReader::Entry* entry = zip.find("entry");
    REQUIRE(entry);
    out.assign(entry->size, '\0');
    return zip.read(*entry, out.data());
  }

  std::string wrong;
  InputFile file;
  ZipReader zip;
};

std::string varied(size_t size) {
  std::string out(size, '\0');
  uint32_t seed = 1;
  for (char& c : out) c = static_cast<char>((seed = seed * 1664525 + 1013904223) >> 28);
  return out;
}

TEST_CASE("deflated entries are inflated, as a whole and their beginning") {
  const Folder folder;
  for (const size_t size : {0u, 1u, 1000u, 3000000u}) {
    const std::string bytes = varied(size);
    write_entry(folder.file("a"), bytes, ZIP_CM_DEFLATE);
    const Opened opened(folder.file("a"));
    REQUIRE(opened.wrong == "");
    std::string back;
    CHECK(opened.read(back));
    CHECK(back == bytes);
    for (const uint64_t n : {uint64_t{0}, uint64_t{1}, uint64_t{999}, uint64_t{5000000}})
      CHECK(opened.zip.head(*opened.zip.find("entry"), n) == bytes.substr(0, n));
  }
}

TEST_CASE("entries that claim other sizes than they have are not read") {
  const Folder folder;
  const std::string path = folder.file("a"), bytes = varied(10000);
  std::string back;
  for (const uint32_t size : {9999u, 10001u, 0u, 1u}) {
    write_entry(path, bytes, ZIP_CM_DEFLATE);
    claim_size(path, size);
    CHECK(!Opened(path).read(back));
  }
  // A bomb: more than deflate can make of so few bytes is refused before anything is inflated.
  write_entry(path, std::string(1000000, '\0'), ZIP_CM_DEFLATE);
  CHECK(Opened(path).wrong == "");
  claim_size(path, 0xfffffff0);
  CHECK(Opened(path).wrong == "an entry claims to be larger than it can be");
}

TEST_CASE("damaged, encrypted and otherwise packed entries are not read") {
  const Folder folder;
  const std::string path = folder.file("a"), good = varied(10000);
  std::string back;
  write_entry(path, good, ZIP_CM_DEFLATE);
  const std::string bytes = contents(path);
  for (size_t at = 40; at < 2000; at += 49) {
    std::string changed = bytes;
    changed[at] = static_cast<char>(changed[at] + 1);
    put(path, changed);
    const Opened opened(path);
    CHECK((opened.wrong != "" || !opened.read(back)));
  }
  if (zip_encryption_method_supported(ZIP_EM_TRAD_PKWARE, 1)) {
    write_entry(path, good, ZIP_CM_STORE, ZIP_EM_TRAD_PKWARE);
    const Opened opened(path);
    CHECK((opened.wrong != "" || !opened.read(back)));
  }
}

}  // namespace
}  // namespace facula::test
