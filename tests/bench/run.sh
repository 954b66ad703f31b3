#!/usr/bin/env bash
# Runs the same work in facula and in PyTorch and prints ratios: tests/bench/run.sh [--vs PYTHON]... [NAME...]
# PYTHON is one that has torch; of several the fastest counts; without one, facula's own figures are printed. NAME is a
# workload or a file of them. The report is written to build/bench.md and build/bench.json.
set -euo pipefail
# shellcheck source=cmake/setup.sh
source "$(dirname "${BASH_SOURCE[0]}")/../../cmake/setup.sh"

pythons=
while [[ ${1:-} == --vs ]]; do
  "${2:?--vs needs a Python}" -c 'import torch'
  pythons+=${pythons:+:}$2
  shift 2
done
for candidate in /usr/bin/python3 python3; do
  if [[ -z $pythons ]] && "$candidate" -c 'import torch' 2>/dev/null; then pythons=$candidate; fi
done

install_packages
build_preset release facula ceilings

# libgomp's spinning threads cost PyTorch a scheduler tick per region on a busy machine.
export OMP_WAIT_POLICY=passive
# They lower OpenBLAS to another processor's kernels.
unset OPENBLAS_CORETYPE OPENBLAS_L2_SIZE
exec "$build/facula" "$root/tests/bench/run.lua" "$build" "$root/tests/bench" "$pythons" "$build/bench" "$@"
