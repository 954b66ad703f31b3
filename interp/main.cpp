// The program: `facula script.lua`, `facula -e CODE`, or a prompt.
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <exception>

#include "core/deterministic.h"
#include "core/generator.h"
#include "core/parallel.h"
#include "interp/interrupt.h"
#include "interp/options.h"
#include "interp/program.h"
#include "interp/repl.h"
#include "interp/state.h"

using namespace facula;
using namespace facula::interp;

// Output that did not arrive is an error (a full disk); a reader that went away ends the program by SIGPIPE.
static int flushed(int exit_code) {
  if (std::fflush(stdout) == 0 && !std::ferror(stdout)) return exit_code;
  std::fprintf(stderr, "facula: cannot write to the standard output (%s)\n", std::strerror(errno));
  return exit_code ? exit_code : 1;
}

static int run(int argc, char** argv) {
  int exit_code = 0;
  std::optional<Options> options = parse_options(argc, argv, exit_code);
  if (!options) return exit_code;
  if (options->threads) set_num_threads(*options->threads);
  if (options->seed) default_generator()->manual_seed(*options->seed);
  if (options->deterministic) set_must_be_deterministic(true);
  const bool nothing_to_run = !options->script && options->steps.empty();
  const bool sandboxed = options->limits.sandbox;
  const bool prompt = !sandboxed && (options->interactive || options->json || (nothing_to_run && isatty(STDIN_FILENO)));
  if (nothing_to_run && !prompt) options->script.emplace("-");

  lua_State* const L = open_lua_state(options->limits);
  catch_interrupts(L);
  exit_code = run_program(L, *options, argc, argv);
  if (prompt) {
    run_repl(L, *options);
    exit_code = 0;
  }
  close_lua_state(L);
  return exit_code;
}

int main(int argc, char** argv) {
  std::signal(SIGXFSZ, SIG_IGN);  // a file that grows beyond `ulimit -f` is an error of its writer's
  try {
    return flushed(run(argc, argv));
  } catch (const std::exception& error) {
    std::fprintf(stderr, "facula: %s\n", error.what());
    return 1;
  }
}
