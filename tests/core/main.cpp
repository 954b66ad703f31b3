// Unit tests of core and the CPU kernels, without Lua. `facula_tests --help` lists doctest's options.
#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>

#include "core/operator.h"
#include "kernels/cpu/register.h"

int main(int argc, char** argv) {
  facula::register_cpu_kernels();
  facula::registry();
  return doctest::Context(argc, argv).run();
}
