#!/usr/bin/env bash
# go_program.sh DIR SOURCE: builds the Go program of the folder SOURCE as DIR/program, for tests against software of others.
# Its modules are those of SOURCE/go.sum.
#
# Where there is no Go, an old one, or the modules cannot be reached, DIR/unavailable says so and the tests skip; anything
# else that goes wrong is an error.
set -euo pipefail
directory=$1 source=$2

unavailable() {
    echo "$1, so nothing is tested against the program of $source" >"$directory/unavailable"
    cat "$directory/unavailable"
    exit 0
}

mkdir -p "$directory"
rm -f "$directory/unavailable"
command -v go >/dev/null || unavailable "Go is not installed"
wanted=$(sed -n 's/^go //p' "$source/go.mod")
there=$(go env GOVERSION)
if [[ $(printf '%s\n' "$wanted" "${there#go}" | sort -V | head -n 1) != "$wanted" ]]; then
    unavailable "Go ${there#go} is older than $wanted"
fi

log=$directory/build.log
# No other Go is fetched, and no module that go.sum does not name.
export GOTOOLCHAIN=local GOFLAGS="-mod=readonly -buildvcs=false" CGO_ENABLED=0
export HOME=${HOME:-$directory}  # where Go keeps what it has fetched and built
built=0
(cd "$source" && timeout 400 nice go build -trimpath -o "$directory/program" .) >"$log" 2>&1 || built=$?
if ((built == 0)); then exit 0; fi
if ((built == 124)); then unavailable "the Go modules did not come in time"; fi
if grep -qE 'dial tcp|no such host|i/o timeout|connection refused|proxyconnect|TLS handshake|: 40[34]|: 410|: 50[0-9]' "$log"; then
    unavailable "the Go modules cannot be reached"
fi
cat "$log" >&2
exit 1
