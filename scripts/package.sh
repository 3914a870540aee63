#!/usr/bin/env bash
# package.sh [--build DIR] [--output DIR]: makes the Debian packages libsluice0, libsluice-dev and sluice.
# Without --build, an optimised build of their own is made in build/package; DIR is a tree that is built already.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

build=
output=$PWD/build/packages
while (($#)); do
    case $1 in
        --build) build=$(cd "$2" && pwd) && shift ;;
        --output) mkdir -p "$2" && output=$(cd "$2" && pwd) && shift ;;
        *) sed -n '2,3s/^# //p' "$0" >&2 && exit 2 ;;
    esac
    shift
done

if [[ ! $build ]]; then
    build=$PWD/build/package
    cmake -S . -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=RelWithDebInfo -DSLUICE_BUILD_TESTS=OFF -DSLUICE_BUILD_BENCH=OFF \
        -DSLUICE_BUILD_EXAMPLES=OFF
    cmake --build "$build" --target installed_parts
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cpack --config "$build/CPackConfig.cmake" -B "$work" >"$work/log" 2>&1 || { cat "$work/log" >&2 && exit 1; }
mkdir -p "$output"
mv "$work"/*.deb "$output"
printf '%s\n' "$output"/*.deb
