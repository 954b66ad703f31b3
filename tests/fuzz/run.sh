#!/usr/bin/env bash
# Runs every fuzzer for some time: tests/fuzz/run.sh BUILD [SECONDS]. What it finds stays in BUILD/fuzz; the exit code is 0
# only if that is nothing. BUILD comes of `cmake --preset fuzz && ninja -C BUILD facula fuzzers`.
set -euo pipefail
build=${1:?usage: tests/fuzz/run.sh BUILD [SECONDS]}
seconds=${2:-60}
export ASAN_OPTIONS=${ASAN_OPTIONS:-allocator_may_return_null=1:detect_leaks=0}

"$build/facula" "$(dirname "$0")/corpus.lua" "$build/fuzz/corpus"
failed=0 passed=0
for fuzzer in "$build"/tests/fuzz/fuzz_*; do
  [[ -x $fuzzer && -f $fuzzer ]] || continue
  name=${fuzzer##*/fuzz_}
  mkdir -p "$build/fuzz/corpus/$name" "$build/fuzz/findings"
  # Lua's handles are collected now and then, so memory is bounded but not steady.
  if "$fuzzer" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -max_len=65536 -detect_leaks=0 \
    -artifact_prefix="$build/fuzz/findings/$name-" "$build/fuzz/corpus/$name" >"$build/fuzz/$name.log" 2>&1; then
    passed=$((passed + 1))
  else
    failed=$((failed + 1))
    echo "fuzz_$name found something:"
    tail -n 30 "$build/fuzz/$name.log"
  fi
done
echo "$passed passed, $failed failed"
[[ $failed -eq 0 && $passed -gt 0 ]]
