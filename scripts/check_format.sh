#!/usr/bin/env bash
# Fails when a C++ file is not formatted as .clang-format says. With --fix it formats them instead.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

mode=(--dry-run --Werror)
[[ ${1:-} == --fix ]] && mode=(-i)

folders=()
for folder in include src tests examples bench docs; do
    [[ -d $folder ]] && folders+=("$folder")
done
find "${folders[@]}" \( -name '*.hpp' -o -name '*.cpp' \) -print0 |
    xargs -0 -r -n 16 -P "$(nproc)" clang-format-14 "${mode[@]}"
