#!/usr/bin/env bash
# Installs what is missing, builds, and runs the tests: tests/run.sh [--preset NAME] [SUITE...]
# Suites: unit embed lua module conformance modules fuzz examples lint; all of them by default. The presets are release,
# debug, asan, tsan and coverage. Every suite prints one line `N passed, N failed` (`, N skipped` may follow) or more, the
# whole run ends in one; it fails if a test failed or a suite ran none.
set -euo pipefail
# shellcheck source=cmake/setup.sh
source "$(dirname "${BASH_SOURCE[0]}")/../cmake/setup.sh"

preset=release
if [[ ${1:-} == --preset ]]; then
  preset=${2:?--preset needs a name}
  shift 2
fi
suites=("$@")
[[ ${#suites[@]} -gt 0 ]] || suites=(unit embed lua module conformance modules fuzz examples lint)

# Leaks are looked for without Lua only: LeakSanitizer does not see what LuaJIT's own heap refers to.
export ASAN_OPTIONS=${ASAN_OPTIONS:-detect_stack_use_after_return=1:allocator_may_return_null=1:detect_leaks=0}
export UBSAN_OPTIONS=${UBSAN_OPTIONS:-print_stacktrace=1}
export TSAN_OPTIONS=${TSAN_OPTIONS:-halt_on_error=1:allocator_may_return_null=1}
seconds=1800 # a suite that takes longer hangs

# ---- suites: each prints its failures and, last, its counts ----------------------------------------------------------------

doctest() { # doctest's own closing line, in our words
  timeout $seconds "$@" | sed -E \
    's/^.*test cases: *[0-9]+ \| *([0-9]+) passed \| *([0-9]+) failed \| *([0-9]+) skipped.*/\1 passed, \2 failed, \3 skipped/'
}
suite_unit() { ASAN_OPTIONS=$ASAN_OPTIONS:detect_leaks=1 doctest "$build/facula_tests" --no-colors; }
suite_embed() { # hosts of libfacula: in the build tree, and the examples from an installed prefix
  doctest "$build/facula_embed_tests" --no-colors || return
  if [[ $preset == asan || $preset == tsan ]]; then
    echo "0 passed, 0 failed, 1 skipped" # plain hosts cannot load a sanitizer's library
  else
    timeout $seconds "$root/tests/embed/installed.sh" "$build" "$scratch/installed"
  fi
}
suite_lua() { timeout $seconds "$build/facula" "$root/tests/lua/run.lua"; }
suite_module() { # some of the same through a stock luajit, which cannot host a sanitizer
  if [[ $preset == asan || $preset == tsan ]]; then
    echo "0 passed, 0 failed, 1 skipped"
  else
    LUA_CPATH="$build/lua/?.so;;" timeout $seconds luajit "$root/tests/lua/run.lua" nn_spec optim_spec
  fi
}
suite_conformance() { timeout $seconds "$build/facula" "$root/tests/conformance/run.lua"; }

suite_modules() { # torch.nn, optim and autograd against PyTorch's results
  timeout $seconds "$build/facula" "$root/tests/conformance/run_modules.lua" "$root/tests/conformance"
}
suite_fuzz() { # a crash leaves its call in the log
  timeout $seconds "$build/facula" "$root/tests/fuzz.lua" 200000 1 "$scratch/calls" && return
  local status=$?
  echo "The last call was $(tail -n 1 "$scratch/calls")"
  return $status
}

suite_examples() { # every example, small; what knows no --smoke is a module of theirs
  local passed=0 failed=0 examples example
  mapfile -t examples < <(grep -l 'smoke =' "$root"/examples/*.lua)
  for example in "${examples[@]}"; do
    if (cd "$scratch" && timeout $seconds "$build/facula" "$example" --smoke) >"$scratch/example" 2>&1; then
      passed=$((passed + 1))
    else
      failed=$((failed + 1))
      echo "FAIL ${example#"$root"/}"
      tail -n 20 "$scratch/example"
    fi
  done
  echo "$passed passed, $failed failed"
}

suite_lint() { # every file of ours, one by one, so that each counts
  local passed=0 failed=0 skipped=0 file
  while IFS= read -r file; do
    local linter=(luacheck --quiet --no-color)
    [[ $file == *.lua ]] || linter=(shellcheck -x)
    if ! command -v "${linter[0]}" >/dev/null; then
      skipped=$((skipped + 1))
    elif (cd "$root" && "${linter[@]}" "$file") >"$scratch/lint" 2>&1; then
      passed=$((passed + 1))
    else
      failed=$((failed + 1))
      cat "$scratch/lint"
    fi
  done < <(cd "$root" && find .ci cmake docs examples stdlib tests -name '*.lua' -not -path 'tests/conformance/*/*' \
    -o -name '*.sh' -o -path .ci/run | sort)
  echo "$passed passed, $failed failed, $skipped skipped"
}

# ---- the run ---------------------------------------------------------------------------------------------------------------

install_packages
build_preset "$preset" all tests

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
counts='^[0-9]+ passed, [0-9]+ failed' # shown in the summary only, so that the last such line is the run's
total_passed=0 total_failed=0 total_skipped=0 summary=()
for name in "${suites[@]}"; do
  echo "== $name"
  status=0
  "suite_$name" 2>&1 | tee "$scratch/log" | sed -E "/$counts/d" || status=$?
  read -r passed failed skipped < <(awk -F'[ ,]+' "/$counts/"'{p += $1; f += $3; s += $5} END {print p + 0, f + 0, s + 0}' \
    "$scratch/log")
  note=
  if [[ $status -ne 0 && $failed -eq 0 ]]; then
    failed=1 note=" (exit status $status)"
  elif [[ $((passed + failed + skipped)) -eq 0 ]]; then
    failed=1 note=" (ran no test)"
  fi
  summary+=("$(printf '%-12s %d passed, %d failed, %d skipped%s' "$name:" "$passed" "$failed" "$skipped" "$note")")
  total_passed=$((total_passed + passed))
  total_failed=$((total_failed + failed))
  total_skipped=$((total_skipped + skipped))
done

echo
printf '%s\n' "${summary[@]}"
echo "$total_passed passed, $total_failed failed, $total_skipped skipped"
[[ $total_failed -eq 0 ]]
