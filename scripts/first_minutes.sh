#!/usr/bin/env bash
# What a stranger goes through: clones the last commit into a temporary folder, does there what README.md says, and prints
# the seconds since the beginning before each line. `./test` does so in the tree that it has built anyway; this builds anew.
set -euo pipefail

usage() {
    cat <<'TEXT'
usage: scripts/first_minutes.sh [--servers]

  --servers   `./run --servers`, too
TEXT
}

left_out=(./test)
servers=false
for argument in "$@"; do
    case $argument in
        --servers) servers=true ;;
        -h | --help) usage && exit 0 ;;
        *) usage >&2 && exit 2 ;;
    esac
done
$servers || left_out+=("./run --servers")

cd "$(dirname "${BASH_SOURCE[0]}")/.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
git clone -q . "$work/sluice"

export CCACHE_DISABLE=1  # a stranger has none
SECONDS=0
"$work/sluice/tests/tooling/readme_test.sh" "$work/sluice" "${left_out[@]}" 2>&1 |
    while IFS= read -r line; do printf '%4d s  %s\n' "$SECONDS" "$line"; done
