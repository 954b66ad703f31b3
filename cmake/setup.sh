# shellcheck shell=bash
# What examples/run.sh and tests/run.sh share: installing what is missing, configuring, building. Sourced by both.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

# OpenBLAS detects the CPU by itself; some machines force an older CPU's kernels on it.
unset OPENBLAS_CORETYPE OPENBLAS_L2_SIZE

# Installs those packages of cmake/packages.txt that are missing, as root or through sudo.
install_packages() {
  local wanted missing as_root=()
  command -v dpkg-query >/dev/null || return 0
  mapfile -t wanted < <(sed -e 's/#.*//' -e '/^\s*$/d' "$root/cmake/packages.txt")
  mapfile -t missing < <(comm -23 <(printf '%s\n' "${wanted[@]}" | sort) \
    <(dpkg-query -W -f '${db:Status-Status} ${Package}\n' "${wanted[@]}" 2>/dev/null | sed -n 's/^installed //p' | sort -u))
  [[ ${#missing[@]} -eq 0 ]] && return 0
  if [[ $(id -u) -ne 0 ]]; then
    if ! command -v sudo >/dev/null; then
      echo "Missing packages: ${missing[*]}. Neither root nor sudo: install them by hand if the build fails." >&2
      return 0
    fi
    as_root=(sudo)
  fi
  echo "Installing ${missing[*]}" >&2
  local apt=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300)
  "${apt[@]}" update >&2
  "${apt[@]}" install -y --no-install-recommends "${missing[@]}" >&2
}

# build_preset PRESET TARGET...: configures where nobody has or the presets changed, then builds. The folder is in $build.
build_preset() {
  local preset=$1
  shift
  build=$root/build
  [[ $preset == release ]] || build=$root/build/$preset
  if [[ ! -e $build/build.ninja || $root/CMakePresets.json -nt $build/build.ninja ]]; then
    (cd "$root" && cmake --preset "$preset") >&2
  fi
  cmake --build "$build" --parallel "$(nproc)" --target "$@" >&2
}
