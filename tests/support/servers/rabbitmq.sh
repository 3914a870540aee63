#!/usr/bin/env bash
# rabbitmq.sh start|stop DIR: a private RabbitMQ node for tests.
#
# `start` makes a node with everything that it has in a temporary directory, on free loopback ports (AMQP, AMQP with TLS,
# Erlang's own), with a port mapper and a cookie of its own and as a user other than root. DIR then holds what the tests
# read:
#   env    SLUICE_TEST_RABBITMQ_URI and _TLS_URI, SLUICE_TEST_RABBITMQ_CERTIFICATES (a directory with ca.pem, client.pem
#          and client.key), SLUICE_TEST_RABBITMQ_LOG (a file), SLUICE_TEST_RABBITMQ_CONTROL (the path below)
#   control  a script: `control ctl WORD...` (rabbitmqctl), `control restart`, `control crash` (SIGKILL, nothing else),
#            `control start`, `control freeze` and `control thaw` (SIGSTOP, SIGCONT)
# `stop` ends what `start` began and removes it. A node left over from an earlier run is stopped first.
set -euo pipefail

action=${1:?"usage: rabbitmq.sh start|stop DIR"}
directory=${2:?"usage: rabbitmq.sh start|stop DIR"}
programs=/usr/lib/rabbitmq/bin

if [[ ! -x $programs/rabbitmq-server ]]; then
    echo "rabbitmq.sh: there is no RabbitMQ here; run scripts/install_deps.sh dev" >&2
    exit 1
fi

as_server=()
if ((EUID == 0)); then as_server=(setpriv --reuid=rabbitmq --regid=rabbitmq --clear-groups); fi

# Below those that the kernel gives to clients: one of these may be gone before the node has started, or while it is
# restarted.
free_ports() {
    python3 -c 'import random, socket
found = []
while len(found) < 4:
    port = random.randint(20000, 32000)
    with socket.socket() as s:
        try: s.bind(("127.0.0.1", port))
        except OSError: continue
    if port not in found: found.append(port)
print(*found)'
}

make_certificates() {
    local into=$1
    mkdir -p "$into"
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj "/CN=Sluice test CA" \
        -keyout "$into/ca.key" -out "$into/ca.pem" 2>/dev/null
    local who
    for who in server client; do
        openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj "/CN=$who" \
            -keyout "$into/$who.key" -out "$into/$who.csr" 2>/dev/null
        openssl x509 -req -in "$into/$who.csr" -CA "$into/ca.pem" -CAkey "$into/ca.key" -CAcreateserial -days 2 \
            -extfile <(echo "subjectAltName=DNS:localhost,IP:127.0.0.1") -out "$into/$who.pem" 2>/dev/null
    done
    chmod 644 "$into"/*.key
}

stop() {
    local home
    home=$(cat "$directory/home" 2>/dev/null) || return 0
    local pid_file pid
    for pid_file in node shell epmd; do
        pid=$(cat "$home/$pid_file.pid" 2>/dev/null) || continue
        kill -9 "$pid" 2>/dev/null || true
    done
    rm -rf "$home" "$directory"/{home,env,control}
}

start() {
    mkdir -p "$directory"
    stop
    local home port tls_port dist_port epmd_port
    home=$(mktemp -d "${TMPDIR:-/tmp}/sluice-rabbitmq.XXXXXX")
    echo "$home" >"$directory/home"
    chmod 755 "$home"
    read -r port tls_port dist_port epmd_port < <(free_ports)
    make_certificates "$home/certificates"
    echo '[].' >"$home/plugins"
    cat >"$home/rabbitmq.conf" <<CONF
listeners.tcp.1 = 127.0.0.1:$port
listeners.ssl.1 = 127.0.0.1:$tls_port
ssl_options.cacertfile = $home/certificates/ca.pem
ssl_options.certfile = $home/certificates/server.pem
ssl_options.keyfile = $home/certificates/server.key
ssl_options.verify = verify_peer
ssl_options.fail_if_no_peer_cert = false
log.file.level = info
vm_memory_high_watermark.absolute = 1GB
disk_free_limit.absolute = 1MB
CONF
    cat >"$home/environment" <<CONF
export HOME=$home
export RABBITMQ_NODENAME=sluice-$port@localhost
export RABBITMQ_MNESIA_BASE=$home/mnesia
export RABBITMQ_LOG_BASE=$home/log
export RABBITMQ_PID_FILE=$home/node.pid
export RABBITMQ_CONFIG_FILE=$home/rabbitmq.conf
export RABBITMQ_ADVANCED_CONFIG_FILE=$home/none.config
export RABBITMQ_CONF_ENV_FILE=$home/none.conf
export RABBITMQ_ENABLED_PLUGINS_FILE=$home/plugins
export RABBITMQ_DIST_PORT=$dist_port
export RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS="+S 2:2 +A 8 -kernel inet_dist_use_interface {127,0,0,1}"
export RABBITMQ_CTL_ERL_ARGS="+S 1:1 +sbwt none"
export ERL_EPMD_PORT=$epmd_port
export ERL_EPMD_ADDRESS=127.0.0.1
export LANG=C.UTF-8
CONF
    if ((EUID == 0)); then chown -R rabbitmq: "$home"; fi

    {
        echo '#!/usr/bin/env bash'
        echo "set -e; home='$home' port=$port as_server=(${as_server[*]}) programs=$programs"
        echo "freeze='$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)/freeze.sh'"
        cat <<'SCRIPT'
source "$home/environment"
cd "$home"
# A process that ended may stay a zombie for as long as nobody asks for its exit code.
runs() { [[ -e /proc/$1/exe ]]; }
node() { cat "$home/node.pid"; }
answers() { (: <"/dev/tcp/127.0.0.1/$port") 2>/dev/null; }
start() {
    if ! runs "$(cat "$home/epmd.pid" 2>/dev/null || echo none)"; then
        "${as_server[@]}" setsid epmd </dev/null >"$home/epmd.log" 2>&1 &
        echo $! >"$home/epmd.pid"
    fi
    rm -f "$home/node.pid"
    "${as_server[@]}" setsid "$programs/rabbitmq-server" </dev/null >"$home/server.log" 2>&1 &
    local shell=$! waited
    echo $shell >"$home/shell.pid"
    for ((waited = 0; waited < 600; ++waited)); do
        if [[ -s $home/node.pid ]] && answers; then return; fi
        runs $shell || break
        sleep 0.1
    done
    tail -n 40 "$home/server.log" >&2
    echo "control: the node did not start" >&2
    return 1
}
crash() {
    local pid
    pid=$(node)
    kill -9 "$pid" 2>/dev/null || true
    while runs "$pid"; do sleep 0.02; done
}
case $1 in
    ctl) shift; exec "${as_server[@]}" "$programs/rabbitmqctl" --quiet "$@" ;;
    start) start ;;
    crash) crash ;;
    restart) "${as_server[@]}" "$programs/rabbitmqctl" --quiet stop >/dev/null
        pid=$(node)
        while runs "$pid"; do sleep 0.05; done
        start ;;
    freeze) "$freeze" "$(node)" ;;
    thaw) kill -CONT "$(node)" ;;
    *) exit 2 ;;
esac
SCRIPT
    } >"$directory/control"
    chmod +x "$directory/control"
    "$directory/control" start
    {
        echo "SLUICE_TEST_RABBITMQ_URI=amqp://guest:guest@127.0.0.1:$port/%2f"
        echo "SLUICE_TEST_RABBITMQ_TLS_URI=amqps://guest:guest@localhost:$tls_port/%2f"
        echo "SLUICE_TEST_RABBITMQ_CERTIFICATES=$home/certificates"
        echo "SLUICE_TEST_RABBITMQ_CONTROL=$directory/control"
        echo "SLUICE_TEST_RABBITMQ_LOG=$home/log/sluice-$port@localhost.log"
    } >"$directory/env"
}

directory=$(mkdir -p "$directory" && cd "$directory" && pwd)
case $action in
    start) start || { stop; exit 1; } ;;
    stop) stop ;;
    *) echo "usage: rabbitmq.sh start|stop DIR" >&2 && exit 2 ;;
esac
