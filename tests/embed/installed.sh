#!/usr/bin/env bash
# Installs a build into FOLDER/prefix and works with what is there as a user would: tests/embed/installed.sh BUILD FOLDER
# Prints what fails and, last, `N passed, N failed`.
set -uo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
build=$(cd "$1" && pwd)
mkdir -p "$2"
folder=$(cd "$2" && pwd)
prefix=$folder/prefix
passed=0 failed=0

check() { # check WHAT COMMAND...
  local what=$1
  shift
  if (cd "$folder" && "$@") >"$folder/log" 2>&1; then
    passed=$((passed + 1))
  else
    failed=$((failed + 1))
    echo "FAIL $what"
    tail -n 20 "$folder/log"
  fi
}

says() { # says TEXT COMMAND...: its output contains the text
  local text=$1
  shift
  "$@" | tee /dev/stderr | grep -qF -- "$text"
}

only_ours() { # nothing but facula.h, the Lua module, and what the CUDA module takes of core is shown
  local shown
  shown=$(nm -D --defined-only "$1" | awk '$3 !~ /^(facula_|luaopen_torch$)/ {print $3}')
  [[ -e $prefix/lib/libfacula_cuda.so ]] && shown=$(grep -v 6facula <<<"$shown")
  [[ -z $shown ]] || ! echo "$shown"
}

no_luajit() { ! readelf -d "$1" | grep -F luajit; }

cmake --install "$build" --prefix "$prefix" >/dev/null || exit 1
lib=$(dirname "$(find "$prefix" -name libfacula.so)")
export LD_LIBRARY_PATH=$lib PKG_CONFIG_PATH=$lib/pkgconfig
export PATH=$prefix/bin:$PATH LUA_PATH="$root/examples/embed_c/?.lua;;" LUA_CPATH="$lib/lua/5.1/?.so;;"
export CMAKE_PREFIX_PATH=$prefix FACULA_LIBRARY=$lib/libfacula.so
read -ra flags < <(pkg-config --cflags --libs facula)

check "libfacula.so shows only what it should" only_ours "$lib/libfacula.so"
check "torch.so shows only what it should" only_ours "$lib/lua/5.1/torch.so"
check "torch.so brings no LuaJIT of its own" no_luajit "$lib/lua/5.1/torch.so"
check "a stock luajit requires it" says 3 luajit -e 'print(require("torch").ones(3):sum():item())'
check "the header is C99" cc -std=c99 -pedantic -Wall -Wextra -Werror -fsyntax-only -x c "$prefix/include/facula.h"
check "the wrapper is C++17" c++ -std=c++17 -pedantic -Wall -Wextra -Werror -fsyntax-only -x c++ "$prefix/include/facula.hpp"

check "embed_c trains" facula "$root/examples/embed_c/train.lua" circle.model
check "embed_c builds with pkg-config" \
  cc -std=c99 -pedantic -Wall -Wextra -Werror "$root/examples/embed_c/main.c" -o host_c "${flags[@]}"
check "embed_c runs" says "2 inside, then 1" ./host_c circle.model

check "embed_cpp is configured with find_package" cmake -S "$root/examples/embed_cpp" -B host_cpp
check "embed_cpp builds" cmake --build host_cpp
check "embed_cpp runs" says "residual of the wrong measurement: 100.000" host_cpp/host

if python3 -c 'import numpy' 2>/dev/null; then
  check "embed_python runs" python3 -B "$root/examples/embed_python/main.py"
else
  echo "SKIP embed_python: no NumPy"
fi
echo "$passed passed, $failed failed"
