// Archives: what is written comes back, and what is wrong is refused with a message.
#include "core/archive.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zip.h>

#include <csignal>
#include <cstring>
#include <filesystem>
#include <map>

#include "core/parallel.h"
#include "core/zip.h"
#include "tests/core/folder.h"

namespace facula::test {
namespace {

namespace fs = std::filesystem;

Tensor counted(const Sizes& sizes, DType dtype) {
  const Tensor x = empty(sizes, dtype);
  for (int64_t i = 0; i < x.numel() * x.item_size(); ++i)
    x.bytes()[i] = static_cast<char>(dtype == DType::Bool ? i % 2 : i * 7);
  return x;
}

bool same(const Tensor& a, const Tensor& b) {
  return a.sizes() == b.sizes() && a.dtype() == b.dtype() &&
         std::memcmp(a.bytes(), b.bytes(), static_cast<size_t>(a.numel() * a.item_size())) == 0;
}

/// Every dtype, no dimensions, no elements, many dimensions.
Tensors variety() {
  Tensors out;
  for (int t = 0; t < kDTypes; ++t) out.push_back(counted({2, 3}, static_cast<DType>(t)));
  for (const Sizes& sizes : {Sizes{}, Sizes{0}, Sizes{0, int64_t{1} << 40}, Sizes{1, 2, 1, 2, 1, 2, 1, 2}})
    out.push_back(counted(sizes, DType::Float32));
  return out;
}

std::string load_error(const std::string& path) {
  try {
    read_archive(path);
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

/// An archive of any entries, to lie with.
using Entries = std::map<std::string, std::string>;
void write_entries(const std::string& path, const Entries& entries, int method = ZIP_CM_STORE) {
  zip_t* const zip = zip_open(path.c_str(), ZIP_CREATE | ZIP_TRUNCATE, nullptr);
  for (const auto& [name, bytes] : entries) {
    const auto at = zip_file_add(zip, name.c_str(), zip_source_buffer(zip, bytes.data(), bytes.size(), 0), 0);
    zip_set_file_compression(zip, static_cast<zip_uint64_t>(at), method, 0);
  }
  REQUIRE(zip_close(zip) == 0);
}
Entries honest() {
  return {{"facula/version", "1"},
          {"facula/description", "a"},
          {"facula/tensors", R"([{"dtype": "float32", "shape": [2], "bytes": 8}])"},
          {"tensors/0", "12345678"}};
}

TEST_CASE("an archive gives back what was put in") {
  const Folder folder;
  const Tensors tensors = variety();
  const std::string description("text with a zero \0 and \xff", 24);
  write_archive(folder.file("a"), description, tensors);
  const Archive back = read_archive(folder.file("a"));
  CHECK(back.description == description);
  REQUIRE(back.tensors.size() == tensors.size());
  for (size_t i = 0; i < tensors.size(); ++i) CHECK(same(back.tensors[i], tensors[i]));

  write_archive(folder.file("a"), "", {});
  CHECK(read_archive(folder.file("a")).tensors.empty());
  CHECK(folder.files() == 1);
}

TEST_CASE("strided tensors are written as they read, equal contents give equal files") {
  const Folder folder;
  const Tensor x = counted({2, 3}, DType::Int32);
  write_archive(folder.file("a"), "", {x.alias({3, 2}, {1, 3}, 0)});
  const Tensor y = read_archive(folder.file("a")).tensors[0];
  for (int64_t i = 0; i < 3; ++i)
    for (int64_t j = 0; j < 2; ++j) CHECK(y.data<int32_t>()[2 * i + j] == x.data<int32_t>()[3 * j + i]);
  write_archive(folder.file("b"), "", {y});
  CHECK(contents(folder.file("a")) == contents(folder.file("b")));
}

TEST_CASE("elements are aligned to 64 bytes in the file") {
  const Folder folder;
  const Tensors tensors = {counted({100}, DType::Int64), counted({3}, DType::UInt8), counted({77}, DType::Float64)};
  write_archive(folder.file("a"), "abc", tensors);
  const std::string file = contents(folder.file("a"));
  for (const Tensor& x : tensors)
    CHECK(file.find(std::string(x.bytes(), static_cast<size_t>(x.numel() * x.item_size()))) % 64 == 0);
}

TEST_CASE("on other devices") {
  const Folder folder;
  write_archive(folder.file("a"), "", {counted({2, 3}, DType::Float32)});
  const Tensor x = read_archive(folder.file("a"), DeviceType::Meta).tensors[0];
  CHECK(x.is_meta());
  CHECK(x.sizes() == Sizes{2, 3});
  CHECK_THROWS_WITH(write_archive(folder.file("b"), "", {x}), "save: a meta tensor has no elements");
}

TEST_CASE("others read our archives, those with more than 2^16 entries too") {
  const Folder folder;
  for (const size_t count : {size_t{3}, size_t{70000}}) {
    ZipWriter writer(folder.file("a"), "save");
    for (size_t i = 0; i < count; ++i) {
      const std::string content = "content of " + std::to_string(i);
      writer.add("entry/" + std::to_string(i), content.data(), content.size(), i % 2 == 0);
    }
    writer.finish();
    zip_t* const zip = zip_open(folder.file("a").c_str(), ZIP_CHECKCONS, nullptr);
    REQUIRE(zip);
    CHECK(static_cast<size_t>(zip_get_num_entries(zip, 0)) == count);
    zip_file_t* const entry = zip_fopen(zip, "entry/2", 0);
    char read[64] = {};
    CHECK(zip_fread(entry, read, sizeof read) == 12);
    CHECK(std::string(read) == "content of 2");
    zip_fclose(entry);
    zip_discard(zip);

    std::string wrong;
    const InputFile file(folder.file("a"), "load");
    const ZipReader reader(file, wrong);
    CHECK(wrong == "");
    CHECK(reader.size() == count);
    const ZipReader::Entry* const last = reader.find("entry/" + std::to_string(count - 1));
    REQUIRE(last);
    std::string content(last->size, '\0');
    CHECK(reader.read(*last, content.data()));
    CHECK(content == "content of " + std::to_string(count - 1));
  }
}

TEST_CASE("every prefix of an archive is refused") {
  const Folder folder;
  write_archive(folder.file("a"), "description", {counted({5, 3}, DType::Float32), counted({9}, DType::Int64)});
  const std::string whole = contents(folder.file("a"));
  for (size_t n = 0; n < whole.size(); ++n) {
    put(folder.file("b"), whole.substr(0, n));
    CHECK_MESSAGE(load_error(folder.file("b")) != "", "the first ", n, " bytes of ", whole.size());
  }
}

TEST_CASE("no flipped bit changes what is read, or crashes") {
  const Folder folder;
  const Tensors tensors = {counted({5}, DType::Float32), counted({3}, DType::Bool)};
  write_archive(folder.file("a"), "description", tensors);
  const std::string whole = contents(folder.file("a"));
  for (size_t bit = 0; bit < 8 * whole.size(); ++bit) {
    std::string flipped = whole;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ 1 << bit % 8);
    put(folder.file("b"), flipped);
    try {
      const Archive back = read_archive(folder.file("b"));  // times, padding and such do not matter
      CHECK_MESSAGE(
          (back.description == "description" && same(back.tensors[0], tensors[0]) && same(back.tensors[1], tensors[1])),
          "bit ", bit);
    } catch (const Error&) {
    }
  }
}

TEST_CASE("lying archives are refused") {
  const Folder folder;
  const std::string path = folder.file("a");
  const std::string prefix = "load: '" + path + "' ";
  auto error_with = [&](const char* name, const std::string& bytes) {
    Entries entries = honest();
    entries[name] = bytes;
    write_entries(path, entries);
    const std::string error = load_error(path);
    return error.starts_with(prefix) ? error.substr(prefix.size()) : error;
  };
  auto error_of_row = [&](const std::string& row) { return error_with("facula/tensors", "[" + row + "]"); };

  write_entries(path, honest());
  CHECK(load_error(path) == "");
  CHECK(error_with("facula/version", "2") == "has format 2, this program reads format 1");
  CHECK(error_with("tensors/0", "1234567") == "is damaged: tensors/0 has 7 bytes, (2) of float32 need 8");
  CHECK(error_with("tensors/1", "") == "is damaged: it lists 1 tensors and has 2");
  CHECK(error_with("../x", "") == "is damaged: it lists 1 tensors and has 2");
  CHECK(error_with("facula/tensors", "") == "is damaged: facula/tensors is not a list in JSON");
  CHECK(error_with("facula/tensors", std::string(5000, '[')) == "is damaged: facula/tensors is not a list in JSON");
  CHECK(error_with("facula/tensors", "{}") == "is damaged: facula/tensors is not a list in JSON");
  CHECK(error_with("facula/tensors", "[]") == "is damaged: it lists 0 tensors and has 1");
  CHECK(error_with("facula/tensors", std::string(10000, ' ')) == "is damaged: facula/tensors is too long");
  for (const char* row :
       {"1", "{}", R"({"dtype": "float32", "shape": [2]})", R"({"dtype": 1, "shape": [2], "bytes": 8})",
        R"({"dtype": "float32", "shape": 2, "bytes": 8})", R"({"dtype": "float32", "shape": [2], "bytes": -8})",
        R"({"dtype": "float32", "shape": [2], "bytes": 8.5})",
        R"({"dtype": "float32", "shape": [2], "bytes": 8, "bytes": 8})"})
    CHECK(error_of_row(row) == "is damaged: tensors/0 is not described by dtype, shape and bytes");
  CHECK(error_of_row(R"({"dtype": "float31", "shape": [2], "bytes": 8})") ==
        "is damaged: tensors/0 has the unknown dtype 'float31'");
  CHECK(error_of_row(R"({"dtype": "float64", "shape": [2], "bytes": 8})") ==
        "is damaged: tensors/0 has 8 bytes, (2) of float64 need 16");
  CHECK(error_of_row(R"({"dtype": "float64", "shape": [2], "bytes": 16})") ==
        "is damaged: tensors/0 has 8 bytes, (2) of float64 need 16");
  for (const char* size : {"-1", "1.5", "\"2\"", "null", "18446744073709551615"})
    CHECK(error_of_row(text(R"({"dtype": "float32", "shape": [)", size, R"(], "bytes": 8})")) ==
          "is damaged: tensors/0 has a size that is none");
  // 4 * (2^42 + 1) * 2^22 is 2^24 modulo 2^64
  CHECK(error_of_row(R"({"dtype": "float32", "shape": [4398046511105, 4194304], "bytes": 16777216})") ==
        "is damaged: tensors/0 is larger than any memory");
  CHECK(error_of_row(R"({"dtype": "float32", "shape": [0, 4611686018427387904, 4], "bytes": 0})") ==
        "is damaged: tensors/0 is larger than any memory");

  Entries entries = honest();
  entries["facula/tensors"] = R"([{"dtype": "bool", "shape": [8], "bytes": 8}])";
  write_entries(path, entries);
  CHECK(load_error(path) == prefix + "is damaged: tensors/0 has other values than true and false");
  entries = honest();
  entries.erase("tensors/0");
  entries["tensors/1"] = "12345678";
  write_entries(path, entries);
  CHECK(load_error(path) == prefix + "is damaged: tensors/0 is missing");
  entries = honest();
  entries["facula/version"] = std::string(1 << 20, 'a');
  write_entries(path, entries, ZIP_CM_DEFLATE);
  CHECK(load_error(path) == prefix + "is damaged: facula/version is compressed or encrypted");
  write_entries(path, {{"data.pkl", ""}});
  CHECK(load_error(path) == prefix + "is a zip archive, but not a file of torch.save");
}

TEST_CASE("a directory of 2^32 entries is refused before memory is asked for it") {
  const Folder folder;
  write_entries(folder.file("a"), honest());
  std::string file = contents(folder.file("a"));
  const size_t end = file.find("PK\5\6");
  REQUIRE(end != std::string::npos);
  auto number = [](uint64_t v, int bytes) {
    return std::string(reinterpret_cast<const char*>(&v), static_cast<size_t>(bytes));
  };
  uint32_t size, start;
  std::memcpy(&size, &file[end + 12], 4);
  std::memcpy(&start, &file[end + 16], 4);
  const std::string end64 = "PK\6\6" + number(44, 8) + number(45, 2) + number(45, 2) + number(0, 8) +
                            number(uint64_t{1} << 32, 8) + number(uint64_t{1} << 32, 8) + number(size, 8) +
                            number(start, 8);
  const std::string locator = "PK\6\7" + number(0, 4) + number(end, 8) + number(1, 4);
  put(folder.file("b"), file.substr(0, end) + end64 + locator + "PK\5\6" + number(0, 4) + number(0xffff, 2) +
                            number(0xffff, 2) + number(0xffffffff, 4) + number(0xffffffff, 4) + number(0, 2));
  CHECK(load_error(folder.file("b")).find("is not a file of torch.save, or only a part of one") != std::string::npos);
}

TEST_CASE("only plain files are read and replaced") {
  const Folder folder;
  const std::string pipe = folder.file("pipe");
  REQUIRE(mkfifo(pipe.c_str(), 0600) == 0);
  CHECK(load_error(pipe) == "load: '" + pipe + "' is not a plain file");
  CHECK(load_error(folder.path) == "load: '" + folder.path.string() + "' is a directory");
  CHECK(load_error("/dev/zero") == "load: '/dev/zero' is not a plain file");
  CHECK(load_error(folder.file("none")) ==
        "load: cannot open '" + folder.file("none") + "' (No such file or directory)");
  CHECK(load_error("") == "load: the path is empty");
  CHECK(load_error(std::string("a\0b", 3)) == "load: the path has a zero byte in it");
  CHECK_THROWS_WITH(write_archive("/dev/null", "", {}), "save: '/dev/null' exists and is not a plain file");
  CHECK_THROWS_WITH(write_archive(folder.path, "", {}),
                    text("save: '", folder.path.string(), "' exists and is not a plain file").c_str());
  CHECK_THROWS_WITH(write_archive(folder.file("none/a"), "", {}),
                    text("save: cannot write '", folder.file("none/a"), "' (No such file or directory)").c_str());
  const std::string long_name(255, 'n');
  write_archive(folder.file(long_name.c_str()), "x", {});
  CHECK(read_archive(folder.file(long_name.c_str())).description == "x");
}

TEST_CASE("a file is replaced through a link and keeps its permissions") {
  const Folder folder;
  put(folder.file("a"), "old");
  fs::permissions(folder.file("a"), fs::perms(0640));
  fs::create_symlink("a", folder.file("link"));
  write_archive(folder.file("link"), "new", {});
  CHECK(fs::is_symlink(folder.file("link")));
  CHECK(read_archive(folder.file("a")).description == "new");
  CHECK(fs::status(folder.file("a")).permissions() == fs::perms(0640));
}

TEST_CASE("a failed save leaves the old file and no other") {
  const Folder folder;
  write_archive(folder.file("a"), "old", {});
  request_interrupt();
  CHECK_THROWS_AS(write_archive(folder.file("a"), "new", {counted({1000}, DType::Float32)}), Interrupted);
  clear_interrupt();
  CHECK(read_archive(folder.file("a")).description == "old");
  CHECK(folder.files() == 1);

  // A limit on file sizes fails as a full disk does, at any byte we like.
  struct rlimit limit, low;
  REQUIRE(getrlimit(RLIMIT_FSIZE, &limit) == 0);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  const Tensor x = counted({1000}, DType::Float32);
  low = limit;
  for (low.rlim_cur = 0; low.rlim_cur < 4500; low.rlim_cur += 50) {
    setrlimit(RLIMIT_FSIZE, &low);
    std::string error;
    try {
      write_archive(folder.file("a"), "new", {x});
    } catch (const Error& e) {
      error = e.what();
    }
    setrlimit(RLIMIT_FSIZE, &limit);
    CHECK(error == "save: cannot write '" + folder.file("a") + "' (File too large)");
    CHECK(read_archive(folder.file("a")).description == "old");
    CHECK(folder.files() == 1);
  }
  std::signal(SIGXFSZ, handler);
  write_archive(folder.file("a"), "new", {x});
  CHECK(contents(folder.file("a")).size() > low.rlim_cur);
}

}  // namespace
}  // namespace facula::test
