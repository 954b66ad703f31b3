// The command line of the program.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace facula::interp {

struct Options {
  /// What stands before the script, in the order of the command line: code to run, or a module to require.
  struct Step {
    bool is_module;
    std::string text;
  };

  std::vector<Step> steps;
  bool interactive = false;  ///< a prompt after everything else has run
  bool quiet = false;
  std::optional<int> threads;
  std::optional<uint64_t> seed;
  std::optional<std::string> script;  ///< `-` is the standard input
  int script_position = 0;            ///< in argv; 0 without a script
};

/// Nothing, if the program is to end now with `exit_code`: after --help and --version, which were printed, or because of a
/// wrong option, which was named on stderr.
std::optional<Options> parse_options(int argc, char** argv, int& exit_code);

}  // namespace facula::interp
