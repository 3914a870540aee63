#!/usr/bin/env bash
# nats.sh start DIR [NATS-SERVER-ARGUMENT...]   a private nats-server with JetStream and everything it has in DIR
# nats.sh stop DIR                              ends it; DIR stays, so that a later start has what it kept
# nats.sh crash DIR                             kills it (SIGKILL)
# nats.sh freeze DIR, nats.sh thaw DIR          SIGSTOP and SIGCONT
#
# It listens on a free port of 127.0.0.1. DIR/env then holds NATS_PORT and NATS_PID. Set NATS_PORT to insist on a port,
# for a restart, and NATS_JETSTREAM=off to leave JetStream out.
set -euo pipefail

fail() {
    echo "nats.sh: $*" >&2
    exit 1
}

# A server that ended may stay a zombie for as long as nobody asks for its exit code.
runs() { [[ -e /proc/$1/exe ]]; }

answers() { grep -q 'Server is ready' "$directory/nats.log"; }

start() {
    command -v nats-server >/dev/null || fail "nats-server is not installed; run scripts/install_deps.sh dev"
    mkdir -p "$directory"
    local jetstream=(--jetstream --store_dir "$directory/store")
    if [[ ${NATS_JETSTREAM:-on} == off ]]; then jetstream=(); fi
    local attempt port
    for ((attempt = 0; attempt < 20; ++attempt)); do
        port=${NATS_PORT:-$((20000 + RANDOM % 12000))}  # below the kernel's own choices
        : >"$directory/nats.log"
        nats-server --addr 127.0.0.1 --port "$port" "${jetstream[@]}" "$@" >"$directory/nats.log" 2>&1 &
        local pid=$! waited
        for ((waited = 0; waited < 1000; ++waited)); do
            runs $pid || break
            if answers; then
                disown $pid
                printf 'NATS_PORT=%s\nNATS_PID=%s\n' "$port" $pid >"$directory/env"
                return
            fi
            sleep 0.01
        done
        kill -9 $pid 2>/dev/null || true
        grep -q 'address already in use' "$directory/nats.log" || break
        sleep 0.05
    done
    cat "$directory/nats.log" >&2
    fail "nats-server did not start"
}

# The process of the server; nothing when none was started.
server() {
    [[ -f $directory/env ]] || return 0
    sed -n 's/^NATS_PID=//p' "$directory/env"
}

# end SIGNAL: and waits until it is gone.
end() {
    local pid waited
    pid=$(server)
    [[ $pid ]] || return 0
    kill -CONT "$pid" 2>/dev/null || true
    kill "-$1" "$pid" 2>/dev/null || true
    for ((waited = 0; waited < 300; ++waited)); do
        runs "$pid" || break
        sleep 0.01
    done
    kill -9 "$pid" 2>/dev/null || true
    rm -f "$directory/env"
}

# signal COMMAND...: COMMAND gets the process as its last argument.
signal() {
    local pid
    pid=$(server)
    [[ $pid ]] || fail "no server runs in $directory"
    "$@" "$pid"
}

(($# >= 2)) || fail "usage: nats.sh start DIR [NATS-SERVER-ARGUMENT...] | stop|crash|freeze|thaw DIR"
action=$1
directory=$2
shift 2
case $action in
    start) start "$@" ;;
    stop) end TERM ;;
    crash) end KILL ;;
    freeze) signal "$(dirname "${BASH_SOURCE[0]}")/freeze.sh" ;;
    thaw) signal kill -CONT ;;
    *) fail "start, stop, crash, freeze or thaw, not $action" ;;
esac
