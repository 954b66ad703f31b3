#include "interp/options.h"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <charconv>
#include <cstdio>
#include <memory>

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

/// Steps in the order they were given, which CLI11 remembers apart from the values.
std::vector<Options::Step> ordered(const CLI::App& app, const CLI::Option* module, const CLI::Option* code,
                                   const std::vector<std::string>& modules, const std::vector<std::string>& codes) {
  std::vector<Options::Step> steps;
  auto next_module = modules.begin();
  auto next_code = codes.begin();
  for (const CLI::Option* option : app.parse_order()) {
    if (option == module) steps.push_back({true, *next_module++});
    if (option == code) steps.push_back({false, *next_code++});
  }
  return steps;
}

}  // namespace

std::optional<Options> parse_options(int argc, char** argv, int& exit_code) {
  Options options;
  std::vector<std::string> codes, modules;
  CLI::App app("Tensors, autograd and networks from LuaJIT.", "facula");
  app.formatter(std::make_shared<Help>());
  app.prefix_command();  // all behind the script is the script's
  app.set_help_flag("-h,--help", "Show this and leave");
  app.set_version_flag("-v,--version", build_report, "Show what this build is made of, and leave");
  const auto repeatable = [&](const char* flag, std::vector<std::string>& values, const char* type, const char* text) {
    return app.add_option(flag, values, text)
        ->type_name(type)
        ->expected(1)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
        ->allow_extra_args(false);
  };
  const CLI::Option* code = repeatable("-e", codes, "CODE", "Run this code; may be repeated");
  const CLI::Option* module = repeatable("-l", modules, "MODULE", "Require this module, as a global of its name");
  app.add_flag("-i", options.interactive, "Prompt for more after the script or the code");
  app.add_flag("-q", options.quiet, "No line about the program before the first prompt");
  app.add_option("--threads", options.threads, "Threads for kernels (default: all cores)")
      ->type_name("N")
      ->check(whole_number(1, 1024));
  app.add_option("--seed", options.seed, "Seed of the random numbers (default: different each time)")
      ->type_name("N")
      ->check(whole_number(0, UINT64_MAX));
  app.footer(
      "Without script and code it prompts for code, or runs what comes through a pipe. `-` is the standard input.");

  exit_code = 0;
  try {
    app.parse(argc, argv);
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

  std::vector<std::string> rest = app.remaining();
  const bool ended = !rest.empty() && rest[0] == "--";
  if (ended) rest.erase(rest.begin());
  if (!ended && !rest.empty() && rest[0].size() > 1 && rest[0][0] == '-') {
    complain("unknown option '" + rest[0] + "'");
    exit_code = 2;
    return std::nullopt;
  }
  if (!rest.empty()) {
    options.script = rest[0];
    options.script_position = argc - static_cast<int>(rest.size());
  }
  options.steps = ordered(app, module, code, modules, codes);
  return options;
}

}  // namespace facula::interp
