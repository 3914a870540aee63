# Sourced by tests in which a real Prometheus looks at a real service, with `sluice` and SLUICE_DOMAIN set. They work in a
# folder of their own, which goes with them, as both processes do.

for tool in prometheus curl python3; do
    command -v "$tool" >/dev/null || { echo "$tool is not installed: this is not tried" && exit 0; }
done
work=$(mktemp -d)
server=
prometheus=
clean_up() {
    for process in $prometheus $server; do kill -KILL "$process" 2>/dev/null || true; done
    rm -rf "$work"
}
trap clean_up EXIT
cd "$work"

# With a partner whose broker is there when the folder `partner` is. More sections may be appended.
cat >domain.toml <<'TOML'
[databases.default]
provider = "sqlite"
database_uri = "tiny.db"
[brokers.default]
provider = "sqlite"
URI = "default.db"
[brokers.partner]
provider = "sqlite"
URI = "partner/events.db"
[brokers.elsewhere]
provider = "sqlite"
URI = "elsewhere.db"
[outbox]
external_brokers = ["partner"]
[server]
health.port = 0
TOML

# Sets `server` and `address`.
start_server() {
    touch server.log  # it is read before the shell may have made it
    "$sluice" server 2>>server.log &
    server=$!
    local tries
    for ((tries = 600; tries > 0; --tries)); do
        address=$(sed -n 's/.*health.listening address=//p' server.log | tail -n 1)
        if [[ $address ]] && grep -q server.ready server.log; then return; fi
        sleep 0.1
    done
    echo "the server does not start" >&2 && tail server.log >&2 && exit 1
}

# start_prometheus GLOBAL [OPTION...]: scrapes the server each second. Sets `prometheus` and `port`.
# GLOBAL: lines of its configuration besides those of the scrape.
start_prometheus() {
    local lines=$1
    shift
    cat >prometheus.yml <<YAML
$lines
scrape_configs:
  - job_name: sluice
    static_configs: [{targets: ["$address"]}]
YAML
    port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
    prometheus --config.file=prometheus.yml --storage.tsdb.path="$work/data" --web.listen-address="127.0.0.1:$port" \
        --log.level=error "$@" 2>prometheus.log &
    prometheus=$!
}
