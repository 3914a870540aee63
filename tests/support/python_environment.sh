#!/usr/bin/env bash
# python_environment.sh DIR REQUIREMENT CHECK: a Python virtual environment in DIR with what pip finds for REQUIREMENT,
# for tests against software of others. CHECK is Python that fails unless the right thing is installed.
#
# Where the package index cannot be reached, DIR/unavailable says so and the tests skip; anything else that goes wrong
# is an error.
set -euo pipefail
directory=$1 wanted=$2 check=$3

is_there() { "$directory/bin/python" -c "$check" 2>/dev/null; }

rm -f "$directory/unavailable"
if is_there; then exit 0; fi

python=/usr/bin/python3  # the one that python3-venv belongs to
[[ -x $python ]] || python=python3
rm -rf "$directory"
mkdir -p "$directory"
"$python" -m venv "$directory"
log=$directory/install.log
if "$directory/bin/pip" install --disable-pip-version-check --retries 1 --timeout 20 "$wanted" >"$log" 2>&1; then
    is_there || { echo "python_environment.sh: pip installed something that is not $wanted" >&2; exit 1; }
    exit 0
fi
if grep -qE 'NewConnectionError|Failed to establish|Name or service|name resolution|timed out|Timeout|ProxyError|unreachable|SSLError' "$log"; then
    echo "the Python package index cannot be reached, so $wanted is not tested against" >"$directory/unavailable"
    cat "$directory/unavailable"
    exit 0
fi
cat "$log" >&2
exit 1
