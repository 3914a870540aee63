#!/usr/bin/env bash
# redis.sh start DIR [REDIS-SERVER-ARGUMENT...]   a private redis-server with everything it has in DIR
# redis.sh stop DIR                               ends it; DIR stays
#
# It listens on a free port of 127.0.0.1 and on a Unix socket, and keeps nothing on disk unless an argument says so.
# DIR/env then holds REDIS_PORT, REDIS_SOCKET and REDIS_PID. Set REDIS_PORT to insist on a port, for a restart.
set -euo pipefail

fail() {
    echo "redis.sh: $*" >&2
    exit 1
}

# A server that ended may stay a zombie for as long as nobody asks for its exit code.
runs() { [[ -e /proc/$1/exe ]]; }

answers() { [[ -S $directory/redis.sock ]] && redis-cli -s "$directory/redis.sock" ping 2>/dev/null | grep -qE 'PONG|NOAUTH|NOPERM|LOADING'; }

start() {
    command -v redis-server >/dev/null || fail "redis-server is not installed; run scripts/install_deps.sh dev"
    ((${#directory} < 90)) || fail "$directory is too long a path for a Unix socket"
    mkdir -p "$directory"
    local attempt port
    for ((attempt = 0; attempt < 20; ++attempt)); do
        port=${REDIS_PORT:-$((20000 + RANDOM % 12000))}  # below the kernel's own choices
        rm -f "$directory/redis.sock"
        redis-server --port "$port" --bind 127.0.0.1 --unixsocket "$directory/redis.sock" --dir "$directory" \
            --save '' --appendonly no "$@" >"$directory/redis.log" 2>&1 &
        local pid=$! waited
        for ((waited = 0; waited < 500; ++waited)); do
            runs $pid || break
            if answers; then
                disown $pid
                printf 'REDIS_PORT=%s\nREDIS_SOCKET=%s\nREDIS_PID=%s\n' "$port" "$directory/redis.sock" $pid >"$directory/env"
                return
            fi
            sleep 0.01
        done
        kill -9 $pid 2>/dev/null || true
        grep -q 'Address already in use' "$directory/redis.log" || break
        sleep 0.05
    done
    cat "$directory/redis.log" >&2
    fail "redis-server did not start"
}

stop() {
    [[ -f $directory/env ]] || return 0
    local REDIS_PID
    # shellcheck source=/dev/null
    source "$directory/env"
    kill -CONT "$REDIS_PID" 2>/dev/null || true
    kill -TERM "$REDIS_PID" 2>/dev/null || true
    for ((waited = 0; waited < 200; ++waited)); do
        runs "$REDIS_PID" || break
        sleep 0.01
    done
    kill -9 "$REDIS_PID" 2>/dev/null || true
    rm -f "$directory/env"
}

(($# >= 2)) || fail "usage: redis.sh start DIR [REDIS-SERVER-ARGUMENT...] | stop DIR"
action=$1
directory=$2
shift 2
case $action in
    start) start "$@" ;;
    stop) stop ;;
    *) fail "start or stop, not $action" ;;
esac
