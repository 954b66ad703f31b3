// Files that are replaced whole or not at all, and files that tensors lie in.
#include "core/file.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstring>
#include <filesystem>

#include "core/context.h"
#include "core/mapped_file.h"
#include "tests/core/folder.h"

namespace facula::test {
namespace {

namespace fs = std::filesystem;

bool has_nameless_files(const fs::path& folder) {
  const int descriptor = open(folder.c_str(), O_TMPFILE | O_WRONLY, 0600);
  if (descriptor >= 0) close(descriptor);
  return descriptor >= 0;
}

TEST_CASE("a kill while a file is written leaves the old one, and nothing else") {
  const Folder folder;
  if (!has_nameless_files(folder.path)) {
    MESSAGE("skipped: the file system has no files without a name");
    return;
  }
  put(folder.file("a"), "old");
  for (int pieces = 0; pieces < 5; ++pieces) {
    const pid_t child = fork();
    REQUIRE(child >= 0);
    if (child == 0) {
      Replacement file(folder.file("a"), "save");
      const std::string piece(size_t{3} << 20, 'x');
      for (int i = 0; i < pieces; ++i) file.write(piece.data(), piece.size());
      raise(SIGKILL);
    }
    int status = 0;
    REQUIRE(waitpid(child, &status, 0) == child);
    CHECK(WTERMSIG(status) == SIGKILL);
    CHECK(contents(folder.file("a")) == "old");
    CHECK(folder.files() == 1);
  }
}

TEST_CASE("a file is written where there was none, over one, and by a library's own functions") {
  const Folder folder;
  for (const char* text : {"first", "second", ""}) {
    Replacement file(folder.file("a"), "save");
    file.write(text, std::strlen(text));
    file.commit();
    CHECK(contents(folder.file("a")) == text);
  }
  Replacement file(folder.file("a"), "save");
  put(file.temporary(), "third");
  file.commit();
  CHECK(contents(folder.file("a")) == "third");
  CHECK(folder.files() == 1);
}

TEST_CASE("bytes are written over before the file has its name") {
  const Folder folder;
  Replacement file(folder.file("a"), "save");
  file.write("0123456789", 10);
  file.rewrite(3, "abc", 3);
  CHECK(file.position() == 10);
  CHECK(!fs::exists(folder.file("a")));
  file.commit();
  CHECK(contents(folder.file("a")) == "012abc6789");
}

std::string error_of(const std::function<void()>& body) {
  try {
    body();
  } catch (const Error& e) {
    return e.what();
  }
  return "";
}

TEST_CASE("tensors are copied out of a file, or lie in it and keep it mapped") {
  const Folder folder;
  const float values[] = {1, 2, 3, 4};
  put(folder.file("a"), {reinterpret_cast<const char*>(values), sizeof values});
  Tensor mapped, copied, unaligned;
  {
    MappedFile file(folder.file("a"), "load");
    CHECK(file.size() == 16);
    CHECK(file.bytes(4, 4) == std::string(reinterpret_cast<const char*>(&values[1]), 4));
    mapped = file.tensor(4, DType::Float32, {3}, true);
    copied = file.tensor(0, DType::Float32, {2, 2}, false);
    unaligned = file.tensor(2, DType::Float32, {1}, true);
  }
  CHECK(mapped.storage()->is_borrowed());
  CHECK(!copied.storage()->is_borrowed());
  CHECK(!unaligned.storage()->is_borrowed());
  CHECK(std::memcmp(mapped.bytes(), &values[1], 12) == 0);
  mapped.data<float>()[0] = 7;
  CHECK(std::memcmp(contents(folder.file("a")).data(), values, sizeof values) == 0);
}

TEST_CASE("where only some folders are open, files are not mapped: others might cut them") {
  const Folder folder;
  put(folder.file("a"), std::string(16, '\0'));
  Context limited;
  limited.folders = std::make_shared<const std::vector<std::string>>(std::vector<std::string>{folder.path});
  const ContextGuard guard(limited);
  CHECK(!MappedFile(folder.file("a"), "load").tensor(0, DType::Float32, {4}, true).storage()->is_borrowed());
}

TEST_CASE("what reaches beyond a file is refused before memory is asked for") {
  const Folder folder;
  put(folder.file("a"), std::string(16, '\2'));
  MappedFile file(folder.file("a"), "load");
  const auto tensor = [&](uint64_t offset, DType dtype, const Sizes& sizes) {
    return error_of([&] { file.tensor(offset, dtype, sizes, false); });
  };
  CHECK(tensor(0, DType::Float32, {int64_t{1} << 40}).find("do not fit into its 16 bytes") != std::string::npos);
  CHECK(tensor(4, DType::Float32, {4}).find("16 bytes from byte 4 on reach beyond its 16") != std::string::npos);
  CHECK(tensor(UINT64_MAX, DType::UInt8, {1}).find("reach beyond") != std::string::npos);
  CHECK(tensor(0, DType::Float32, {-1}).find("negative") != std::string::npos);
  CHECK(tensor(0, DType::UInt8, Sizes(65, 1)).find("65 dimensions") != std::string::npos);
  CHECK(tensor(0, DType::Bool, {1}).find("other values than 0 and 1") != std::string::npos);
  CHECK(error_of([&] { file.bytes(10, 7); }).find("reach beyond") != std::string::npos);
  CHECK(tensor(16, DType::Float32, {0}).empty());
}

TEST_CASE("a file that became shorter after it was opened cannot be read") {
  const Folder folder;
  put(folder.file("a"), std::string(16, '\2'));
  MappedFile file(folder.file("a"), "load");
  fs::resize_file(folder.file("a"), 8);
  for (int again = 0; again < 2; ++again)
    CHECK(error_of([&] { file.bytes(0, 16); }).find("cannot be read") != std::string::npos);
}

TEST_CASE("small pieces of a file come back in any order") {
  const Folder folder;
  std::string bytes(200'000, '\0');
  for (size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>(i * 7 + i / 256);
  put(folder.file("a"), bytes);
  const MappedFile file(folder.file("a"), "load");
  for (const size_t at : {0, 65'530, 65'540, 199'990, 10, 131'072, 65'530})
    for (const size_t count : {0, 1, 10}) CHECK(file.bytes(at, count) == bytes.substr(at, count));
  CHECK(file.bytes(3, 150'000) == bytes.substr(3, 150'000));
}

}  // namespace
}  // namespace facula::test
