#!/usr/bin/env bash
# reference.sh [ROOT]: writes the reference of the public headers to build/reference/html. Fails on what Doxygen warns of, and
# when a public class does not say what it is for and how it behaves among threads.
set -euo pipefail
scripts=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cd "${1:-$scripts/..}"

if ! command -v doxygen >/dev/null; then
    echo "reference: there is no doxygen; install it with scripts/install_deps.sh dev" >&2
    exit 1
fi
mkdir -p build
doxygen docs/Doxyfile
python3 "$scripts/check_reference.py" build/reference/xml
echo "build/reference/html/index.html"
