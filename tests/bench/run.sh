#!/usr/bin/env bash
# Runs the same work in facula and in its peers and prints ratios: tests/bench/run.sh [--vs PYTHON] [NAME...]
# PYTHON is one that has torch; without one, facula's own figures are printed.
set -euo pipefail
# shellcheck source=cmake/setup.sh
source "$(dirname "${BASH_SOURCE[0]}")/../../cmake/setup.sh"

pythons=(/usr/bin/python3 python3)
if [[ ${1:-} == --vs ]]; then
  pythons=("${2:?--vs needs a Python}")
  shift 2
fi
python=
for candidate in "${pythons[@]}"; do
  if "$candidate" -c 'import torch' 2>/dev/null; then
    python=$candidate
    break
  fi
done

install_packages
build_preset release facula sgemm

# libgomp's spinning threads cost PyTorch a scheduler tick per region on a busy machine.
export OMP_WAIT_POLICY=passive
exec "$build/facula" "$root/tests/bench/run.lua" "$build" "$root/tests/bench" "$python" "$@"
