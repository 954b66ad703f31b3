#!/usr/bin/env bash
# Installs what is missing, builds, and runs an example: examples/run.sh [FILE.lua [ARGUMENTS]]. Without a file it trains
# a network on digits.
set -euo pipefail
# shellcheck source=cmake/setup.sh
source "$(dirname "${BASH_SOURCE[0]}")/../cmake/setup.sh"

install_packages
build_preset release all

file=${1:-$root/examples/digits.lua}
[[ -e $file ]] || file=$root/examples/$file
exec "$build/facula" "$file" "${@:2}"
