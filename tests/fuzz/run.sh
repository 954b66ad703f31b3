#!/usr/bin/env bash
# Runs the fuzzer on every reader for some time: tests/fuzz/run.sh BUILD [SECONDS [READER...]]. What it finds stays in
# BUILD/fuzz; the exit code is 0 only if that is nothing. BUILD comes of `cmake --preset fuzz && ninja -C BUILD facula fuzz_readers`.
set -euo pipefail
build=${1:?usage: tests/fuzz/run.sh BUILD [SECONDS [READER...]]}
seconds=${2:-60}
shift $(($# < 2 ? $# : 2))
export ASAN_OPTIONS=${ASAN_OPTIONS:-allocator_may_return_null=1:detect_leaks=0}

"$build/facula" "$(dirname "$0")/corpus.lua" "$build/fuzz/corpus"
mkdir -p "$build/fuzz/findings"
readers=("$@")
[[ ${#readers[@]} -gt 0 ]] || readers=("$build"/fuzz/corpus/*)
failed=0 passed=0
for reader in "${readers[@]##*/}"; do
  # Lua's handles are collected now and then, so memory is bounded but not steady.
  if FACULA_FUZZ=$reader "$build/fuzz_readers" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -max_len=65536 \
    -detect_leaks=0 -artifact_prefix="$build/fuzz/findings/$reader-" "$build/fuzz/corpus/$reader" \
    >"$build/fuzz/$reader.log" 2>&1; then
    passed=$((passed + 1))
  else
    failed=$((failed + 1))
    echo "$reader found something:"
    grep -aE -A 12 '^no answer|ERROR: |runtime error' "$build/fuzz/$reader.log" | head -n 30
    tail -n 3 "$build/fuzz/$reader.log"
  fi
done
echo "$passed passed, $failed failed"
[[ $failed -eq 0 && $passed -gt 0 ]]
