#!/usr/bin/env bash
# Installs the Debian 12 packages that Sluice is built with. Does nothing when all are there.
set -euo pipefail

usage() {
    cat <<'TEXT'
usage: scripts/install_deps.sh [build] [dev] [--list]

  build    compiler, build tools and libraries (the default)
  dev      what the tests, the formatter, the linter and the sanitizers need
  --list   print the package names instead of installing them

Installs what is missing with apt-get, as root or through sudo.
TEXT
}

build_packages=(
    cmake ninja-build g++ ccache mold pkg-config
    libboost1.81-dev libsqlite3-dev sqlite3 libtomlplusplus-dev libcli11-dev libfmt-dev libspdlog-dev libssl-dev
)
dev_packages=(
    clang-format-14 clang-tidy-14 libgtest-dev libgmock-dev librapidcheck-dev libbenchmark-dev python3
)

packages=()
list=false
for argument in "$@"; do
    case $argument in
        build) packages+=("${build_packages[@]}") ;;
        dev) packages+=("${dev_packages[@]}") ;;
        --list) list=true ;;
        -h | --help) usage && exit 0 ;;
        *) usage >&2 && exit 2 ;;
    esac
done
((${#packages[@]})) || packages=("${build_packages[@]}")

if $list; then
    printf '%s\n' "${packages[@]}"
    exit 0
fi

is_installed() { [[ $(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null) == installed ]]; }

if ! command -v dpkg-query >/dev/null; then
    echo "install_deps: this is no Debian system; install the equivalents of these packages yourself:" >&2
    printf '  %s\n' "${packages[@]}" >&2
    exit 1
fi

missing=()
for package in "${packages[@]}"; do
    is_installed "$package" || missing+=("$package")
done
((${#missing[@]})) || exit 0

as_root=()
if ((EUID != 0)); then
    if ! command -v sudo >/dev/null; then
        echo "install_deps: these packages are missing, and this is neither root nor is there sudo. As root, run:" >&2
        echo "  apt-get update && apt-get install --no-install-recommends ${missing[*]}" >&2
        exit 1
    fi
    as_root=(sudo)
fi

apt() { "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=300 "$@"; }

echo "installing ${missing[*]}"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
if ! { apt update && apt install --no-install-recommends "${missing[@]}"; } >"$log" 2>&1; then
    tail -n 40 "$log" >&2
    echo "install_deps: apt-get could not install: ${missing[*]}" >&2
    echo "  Sluice is built on Debian 12 (bookworm); check the network and /etc/apt/sources.list*." >&2
    exit 1
fi
