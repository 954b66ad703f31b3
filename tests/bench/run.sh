#!/usr/bin/env bash
# Runs the same work in facula and in PyTorch and prints ratios: tests/bench/run.sh [--vs PYTHON] [NAME...]
# PYTHON is one that has torch; without one, facula's own figures are printed. NAME is a workload or a file of them. The report
# is written to build/bench.md and build/bench.json.
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
build_preset release facula ceilings

# libgomp's spinning threads cost PyTorch a scheduler tick per region on a busy machine.
export OMP_WAIT_POLICY=passive
# They lower OpenBLAS to another processor's kernels.
unset OPENBLAS_CORETYPE OPENBLAS_L2_SIZE
exec "$build/facula" "$root/tests/bench/run.lua" "$build" "$root/tests/bench" "$python" "$build/bench" "$@"
