// The command line of the program.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "interp/state.h"

namespace facula::interp {

struct Options {
  /// What stands before the script, in the order of the command line.
  struct Step {
    enum class Kind { Code, Module, Jit } kind;
    std::string text;  ///< to run, to require, or a command for LuaJIT
  };
  enum class Colour { Auto, Always, Never };

  std::vector<Step> steps;
  bool interactive = false;  ///< a prompt after everything else has run
  bool quiet = false;        ///< no line about the program before the first prompt
  bool start_up = true;      ///< the prompt begins with the user's start-up file
  bool json = false;         ///< requests and replies in JSON instead of the prompt
  int strictness = 0;        ///< undefined globals: 0 are nil, 1 warn, 2 are errors
  Colour colour = Colour::Auto;
  std::optional<int> threads;
  std::optional<uint64_t> seed;
  std::optional<std::string> profile;  ///< operators are measured; a file for the trace, or empty
  StateOptions limits;                 ///< and the sandbox
  bool deterministic = false;          ///< operators that sum in no fixed order are errors
  std::string device;                  ///< where tensors are made; empty: on the CPU
  std::optional<std::string> script;   ///< `-` is the standard input
  int script_position = 0;             ///< in argv; 0 without a script
};

/// Nothing, if the program is to end now with `exit_code`: after --help and --version, which were printed, or because of a
/// wrong option, which was named on stderr.
std::optional<Options> parse_options(int argc, char** argv, int& exit_code);

}  // namespace facula::interp
