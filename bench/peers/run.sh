#!/usr/bin/env bash
# Measures other relays beside Sluice; run.sh --help tells how. Makes first what the chosen ones need, once, below
# BUILD/peers: by `go build`, `pip`, `npm ci`, Maven and CMake. SLUICE_BUILD names another build folder than build/.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
here=$PWD
build=$(realpath "${SLUICE_BUILD:-../../build}")
made=$build/peers
mkdir -p "$made"

fail() {
    echo "run.sh: $*" >&2
    exit 1
}
need() { command -v "$1" >/dev/null || fail "$2 is made with $1, which is not installed"; }

# The name of a relay, without its variant: watermill-default.
wants() {
    local peer
    for peer in "${peers[@]}"; do [[ ${peer%%-*} == "$1" ]] && return; done
    return 1
}

make_go() {
    need go "$1"
    (cd "$here/$1" && go build -o "$made/$1" .)
}

make_debezium() {
    PEERS_JAVA=${JAVA:-}
    local java
    for java in /usr/lib/jvm/*/bin/java; do
        [[ $PEERS_JAVA ]] && break
        "$java" --version 2>/dev/null | head -n 1 | grep -qE ' (2[1-9]|[3-9][0-9])(\.|$| )' && PEERS_JAVA=$java
    done
    [[ $PEERS_JAVA ]] || fail "Debezium Server needs Java 21 or newer; there is none in /usr/lib/jvm, and JAVA does not name one"
    export PEERS_JAVA
    [[ -d $made/debezium-server ]] && return
    need mvn debezium
    mvn -B -q -f debezium.pom.xml dependency:copy-dependencies -DoutputDirectory="$made/debezium" >"$made/maven.log" 2>&1 || {
        tail -n 5 "$made/maven.log" >&2
        fail "Maven could not fetch Debezium Server"
    }
    tar -xzf "$made"/debezium/debezium-server-dist-*.tar.gz -C "$made/debezium"
    mv "$made/debezium/debezium-server" "$made/debezium-server"
    rm -r "$made/debezium"
}

make_pgto() {
    need npm pgto
    mkdir -p "$made/pgto"
    cp pgto/* "$made/pgto/"
    [[ -d $made/pgto/node_modules ]] || (cd "$made/pgto" && npm ci --silent)
}

make_python() {
    need python3 "the measurement"
    [[ -f $made/venv/complete ]] && return
    python3 -m venv "$made/venv"
    "$made/venv/bin/pip" install -q -r protean/requirements.txt
    touch "$made/venv/complete"
}

peers=()
for argument in "$@"; do
    case $argument in
        sluice* | watermill* | debezium* | river* | protean* | pgto*) peers+=("$argument") ;;
    esac
done
((${#peers[@]})) || peers=(sluice debezium watermill river protean)
if [[ " $* " != *" -h "* && " $* " != *" --help "* ]]; then
    for relay in watermill river; do if wants $relay; then make_go $relay; fi; done
    if wants debezium; then make_debezium; fi
    if wants pgto; then make_pgto; fi
    if wants sluice; then
        [[ -f $build/CMakeCache.txt ]] || fail "$build is no build folder; configure one, or let SLUICE_BUILD name one"
        cmake --build "$build" --target bench_peer >"$made/cmake.log" 2>&1 || {
            tail -n 20 "$made/cmake.log" >&2
            fail "bench_peer could not be built"
        }
    fi
fi
make_python
export PEERS_MADE=$made PEERS_SLUICE=$build/bin/bench_peer
exec "$made/venv/bin/python" "$here/measure.py" "$@"
