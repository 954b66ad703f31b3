// Files in the format HDF5, each in the hands of a process of its own.
//
// Note [libhdf5 apart]
// Damaged files make libhdf5 crash, ask for gigabytes, or go round in circles: version 1.10 never reads two thousand copies of a
// small file, each with some bytes changed, to the last. So the library runs in a child, forked for each file, which has only
// that file open, and bounds of memory and of processor time that grow with it. What happens there is an error here.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/file.h"
#include "core/hdf5_file.h"

namespace facula::hdf5 {

/// An open file. The methods are those of File, where they are explained. Written files take their name when they are closed:
/// until then the old one stays as it was.
///
/// A file that is read may be used in forked processes, too. After its process has ended another begins with the next call; a
/// file that is written is lost then.
class Client {
 public:
  Client(const std::string& path, Mode mode);
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  /// Without an effect if it is closed already.
  void close();

  About about(const std::string& name, const std::string& operation = "info");
  bool exists(const std::string& name);
  std::vector<std::string> keys(const std::string& group);
  void make_group(const std::string& name);
  void remove(const std::string& name);
  Value read(const std::string& name, const std::vector<Range>& ranges);
  void write(const std::string& name, const Value& value, const Storage& storage);
  std::vector<std::string> attributes(const std::string& name);
  std::optional<Value> attribute(const std::string& name, const std::string& key);
  void set_attribute(const std::string& name, const std::string& key, const Value& value);

 private:
  class Process;

  void start();
  [[noreturn]] void fail_dead(const char* operation);
  template <auto method, class... Arguments>
  auto ask(const char* operation, const Arguments&... arguments);

  std::string path_;
  Mode mode_;
  bool open_ = true;
  std::unique_ptr<InputFile> input_;  // of a file that is only read
  std::unique_ptr<Replacement> replacement_;
  int64_t bytes_ = 0;
  std::unique_ptr<Process> process_;
};

}  // namespace facula::hdf5
