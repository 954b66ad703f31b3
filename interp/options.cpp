#include "interp/options.h"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <deque>
#include <memory>
#include <span>

#include "core/device.h"
#include "core/error.h"
#include "interp/report.h"

namespace facula::interp {
namespace {

constexpr const char* kUsage = "usage: facula [options] [script.lua | -] [arguments]";

void complain(const std::string& what) {
  std::fprintf(stderr, "facula: %s\n%s\nfacula --help lists the options\n", what.c_str(), kUsage);
}

struct Help : CLI::Formatter {
  std::string make_usage(const CLI::App*, std::string) const override { return std::string(kUsage) + "\n"; }
};

CLI::Validator whole_number(uint64_t least, uint64_t most) {
  return {[=](const std::string& given) -> std::string {
            uint64_t n = 0;
            const char* const end = given.data() + given.size();
            const auto [stop, error] = std::from_chars(given.data(), end, n);
            if (error == std::errc() && stop == end && n >= least && n <= most) return {};
            return text("expected a whole number from ", least, " to ", most, ", got '", given, "'");
          },
          ""};
}

/// Bytes: `512M`, `1.5G`; 0 for what is none.
size_t bytes_of(const std::string& given) {
  double n = 0;
  const char* const end = given.data() + given.size();
  const auto [stop, error] = std::from_chars(given.data(), end, n);
  if (error != std::errc() || !(n > 0 && n < 1e15) || end - stop > 1) return 0;
  constexpr std::string_view kUnits = "KMGT";
  const size_t unit = stop == end ? 0 : kUnits.find(static_cast<char>(std::toupper(*stop))) + 1;
  return stop != end && unit == 0 ? 0 : static_cast<size_t>(n * std::pow(1024.0, static_cast<double>(unit)));
}

CLI::Validator size_in_bytes() {
  return {[](const std::string& given) -> std::string {
            return bytes_of(given) ? std::string() : "expected a size such as 512M or 2G, got '" + given + "'";
          },
          ""};
}

constexpr const char* kColours[] = {"auto", "always", "never"};  // as in Options::Colour

CLI::Validator one_of(std::span<const char* const> words) {
  return {[=](const std::string& given) -> std::string {
            std::string known;
            for (const char* const word : words) {
              if (given == word) return {};
              known += (known.empty() ? "" : ", ") + std::string(word);
            }
            return text("expected one of ", known, ", got '", given, "'");
          },
          ""};
}

CLI::Validator device_name() {
  return {[](const std::string& given) -> std::string {
            try {
              parse_device(given);
              return {};
            } catch (const Error& error) {
              return error.what();
            }
          },
          ""};
}

using Kind = Options::Step::Kind;

/// An option that may be repeated and stands for a step.
struct StepOption {
  Kind kind;
  const CLI::Option* option;
  std::vector<std::string> values;
  size_t taken = 0;
};

/// Steps in the order they were given, which CLI11 remembers apart from the values.
std::vector<Options::Step> ordered(const CLI::App& app, std::deque<StepOption>& steps) {
  std::vector<Options::Step> in_order;
  for (const CLI::Option* option : app.parse_order())
    for (StepOption& step : steps)
      if (option == step.option) in_order.push_back({step.kind, step.values[step.taken++]});
  return in_order;
}

/// `1e9` with all its zeros; what is no such number stays as it is.
std::string without_exponent(const std::string& given) {
  double n = 0;
  const char* const end = given.data() + given.size();
  const auto [stop, error] = std::from_chars(given.data(), end, n);
  const bool whole = error == std::errc() && stop == end && n >= 1 && n < 0x1p53 && n == std::floor(n);
  return whole ? std::to_string(static_cast<uint64_t>(n)) : given;
}

/// The limits of `--sandbox=mem=512M,time=10s`: other words for options of their own.
void take_limits(CLI::App& app, const std::string& list) {
  constexpr std::pair<const char*, const char*> kWords[] = {
      {"mem", "--max-memory"}, {"time", "--timeout"}, {"insn", "--max-instructions"}, {"fs", "--allow"}};
  for (const std::string& limit : CLI::detail::split(list, ',')) {
    const std::string word = limit.substr(0, limit.find('='));
    std::string value = limit.substr(std::min(limit.size(), word.size() + 1));
    const auto known = std::find_if(std::begin(kWords), std::end(kWords), [&](auto& w) { return word == w.first; });
    if (known == std::end(kWords))
      throw CLI::ValidationError("--sandbox", "expected mem=, time=, insn= or fs=, got '" + limit + "'");
    if (word == "time" && value.ends_with('s')) value.pop_back();
    if (word == "insn") value = without_exponent(value);
    if (word == "fs" && value == "none") continue;
    CLI::Option* const option = app.get_option(known->second);
    option->add_result(value);
    option->run_callback();
  }
}

/// What CLI11 did not know: the script and its arguments, or options with a mistake in them.
bool take_rest(std::vector<std::string> rest, int argc, Options& options) {
  const bool ended = !rest.empty() && rest[0] == "--";
  if (ended) rest.erase(rest.begin());
  if (rest.empty()) return true;
  if (!ended && rest[0].size() > 1 && rest[0][0] == '-') {
    complain("unknown option '" + rest[0] + "'");
    return false;
  }
  options.script = rest[0];
  options.script_position = argc - static_cast<int>(rest.size());
  return true;
}

/// A sandbox takes away what these need.
bool goes_together(const Options& options, const CLI::App& app) {
  if (!options.limits.folders.empty() && !options.limits.sandbox) {
    complain("--allow is for a --sandbox");
    return false;
  }
  for (const char* const name : {"-i", "-j", "-g", "--json-repl", "--device", "--profile"})
    if (options.limits.sandbox && app.count(name) > 0) {
      complain(std::string(name) + " does not go with --sandbox");
      return false;
    }
  return true;
}

}  // namespace

std::optional<Options> parse_options(int argc, char** argv, int& exit_code) {
  Options options;
  CLI::App app("Tensors, autograd and networks from LuaJIT.", "facula");
  app.formatter(std::make_shared<Help>());
  app.prefix_command();  // all behind the script is the script's
  app.set_help_flag("-h,--help", "Show this and leave");
  app.set_version_flag("-v,--version", build_report, "Show what this build is made of, and leave");
  std::deque<StepOption> steps;  // CLI11 keeps references into it
  const auto add_step = [&](Kind kind, const char* flag, const char* type, const char* text) {
    StepOption& step = steps.emplace_back(StepOption{kind, nullptr, {}});
    step.option = app.add_option(flag, step.values, text)
                      ->type_name(type)
                      ->expected(1)
                      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
                      ->allow_extra_args(false);
  };
  add_step(Kind::Code, "-e", "CODE", "Run this code; may be repeated");
  add_step(Kind::Module, "-l", "MODULE", "Require this module, as a global of its name");
  add_step(Kind::Jit, "-j", "COMMAND", "Tell LuaJIT: off, on, or a module of its own with options, such as p=Fl");
  app.add_flag("-i", options.interactive, "Prompt for more after the script or the code");
  app.add_flag("-g", options.strictness, "Warn where an undefined global is used; -gg: an error");
  app.add_flag("-q", options.quiet, "No line about the program before the first prompt");
  app.add_flag_callback(
      "--no-init", [&] { options.start_up = false; }, "No start-up file before the first prompt");
  std::string colour = kColours[0];
  app.add_option("--color", colour, "At the prompt: auto (on a terminal), always or never")
      ->type_name("WHEN")
      ->check(one_of(kColours));
  app.add_flag("--json-repl", options.json, "Take requests as lines of JSON, for editors and notebooks");
  app.add_option("--threads", options.threads, "Threads for kernels (default: all cores)")
      ->type_name("N")
      ->check(whole_number(1, 1024));
  app.add_option("--seed", options.seed, "Seed of the random numbers (default: different each time)")
      ->type_name("N")
      ->check(whole_number(0, UINT64_MAX));
  app.add_option("--device", options.device, "Where tensors are made: cpu, cuda, cuda:1, meta (default: cpu)")
      ->type_name("DEVICE")
      ->check(device_name())
      ->envname("FACULA_DEVICE");
  std::string profile;
  app.add_flag("--profile", profile, "Print which operators took the time; --profile=FILE also writes a Chrome trace");
  StateOptions& limits = options.limits;
  std::string memory;
  std::string sandbox;
  app.add_flag("--sandbox", sandbox,
               "Let scripts reach nothing but themselves: no files, programs or C; "
               "--sandbox=mem=512M,time=10s,insn=1e9,fs=FOLDER with limits");
  app.add_option("--allow", limits.folders, "A folder whose files a sandbox may use; may be repeated")
      ->type_name("FOLDER")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
      ->allow_extra_args(false);
  app.add_option("--max-memory", memory, "Most memory for Lua and tensors together, such as 512M")
      ->type_name("SIZE")
      ->check(size_in_bytes());
  app.add_option("--timeout", limits.timeout, "Most seconds for all code together")
      ->type_name("SECONDS")
      ->check(CLI::Validator(CLI::PositiveNumber).description(""));
  app.add_option("--max-instructions", limits.max_instructions, "Most instructions of Lua code")
      ->type_name("N")
      ->check(whole_number(1, UINT64_MAX));
  app.add_flag("--deterministic", options.deterministic, "Fail where results would differ from run to run");
  bool environment = false;
  app.add_flag("--env", environment, "Show this build, processor, libraries and limits, and leave");
  app.footer(
      "Without script and code it prompts for code, or runs what comes through a pipe. `-` is the standard input.\n"
      "`info FILE`, `check FILE` and `convert FROM TO` instead of a script show, verify and rewrite saved files; "
      "`test`\n"
      "checks this program on this machine.");

  exit_code = 0;
  try {
    app.parse(argc, argv);
    limits.sandbox = app.count("--sandbox") > 0;
    if (limits.sandbox && sandbox != "true") take_limits(app, sandbox);
  } catch (const CLI::CallForHelp&) {
    std::fputs(app.help().c_str(), stdout);
    return std::nullopt;
  } catch (const CLI::CallForVersion& version) {
    std::puts(version.what());
    return std::nullopt;
  } catch (const CLI::ParseError& error) {
    complain(error.what());
    exit_code = 2;
    return std::nullopt;
  }

  if (environment) {
    std::puts(environment_report().c_str());
    return std::nullopt;
  }
  if (app.count("--profile") > 0) options.profile = profile == "true" ? "" : profile;
  limits.max_memory = bytes_of(memory);
  if (!take_rest(app.remaining(), argc, options) || !goes_together(options, app)) {
    exit_code = 2;
    return std::nullopt;
  }
  options.steps = ordered(app, steps);
  options.colour = Options::Colour(std::find(std::begin(kColours), std::end(kColours), colour) - kColours);
  return options;
}

}  // namespace facula::interp
