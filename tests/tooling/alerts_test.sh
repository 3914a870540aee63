#!/usr/bin/env bash
# alerts_test.sh ROOT SLUICE DOMAIN: a real service fails in several ways, a real Prometheus looks at it, and the alerts ring.
# Their waits and windows are shortened, since the rules themselves are tried with promtool.
set -euo pipefail
root=$1
sluice=$2
export SLUICE_DOMAIN=$3
for tool in prometheus curl python3; do
    command -v "$tool" >/dev/null || { echo "$tool is not installed: the alerts are not tried" && exit 0; }
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
subscription.max_retries = 1
subscription.circuit_breaker_threshold = 1
TOML

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
start_server
free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }

sed -E -e '/^ *for: /d' -e 's/\[[0-9]+m\]/[1m]/' -e 's/_seconds\) > [0-9]+/_seconds) > 1/' \
    "$root/packaging/monitoring/sluice.rules.yml" >rules.yml
cat >prometheus.yml <<YAML
global: {scrape_interval: 1s, evaluation_interval: 1s}
rule_files: [rules.yml]
scrape_configs:
  - job_name: sluice
    static_configs: [{targets: ["$address"]}]
YAML
port=$(free_port)
prometheus --config.file=prometheus.yml --storage.tsdb.path="$work/data" --web.listen-address="127.0.0.1:$port" \
    --log.level=error 2>prometheus.log &
prometheus=$!

firing() {
    curl -s "http://127.0.0.1:$port/api/v1/alerts" 2>/dev/null | python3 -c '
import json, sys
try:
    print("\n".join(sorted({a["labels"]["alertname"] for a in json.load(sys.stdin)["data"]["alerts"] if a["state"] == "firing"})))
except (ValueError, KeyError):
    pass'
}
# rings ALERT...: within a minute and a half.
rings() {
    local tries alert seen
    for ((tries = 180; tries > 0; --tries)); do
        seen=$(firing)
        for alert in "$@"; do
            grep -qx "$alert" <<<"$seen" || { sleep 0.5 && continue 2; }
        done
        return
    done
    echo "not all of $* ring: $seen" >&2
    tail -n 20 server.log prometheus.log >&2
    exit 1
}
sleep_until_scraped() {
    local tries
    for ((tries = 180; tries > 0; --tries)); do
        [[ $(curl -s "http://127.0.0.1:$port/api/v1/query?query=sluice_ready" 2>/dev/null) == *'"1"]'* ]] && return
        sleep 0.5
    done
    echo "Prometheus sees nothing" >&2 && cat prometheus.log >&2 && exit 1
}

sleep_until_scraped
# There is no folder for the partner's broker: it is away from the first moment.
"$sluice" process CreateCounter '{"counter_id": "c-1"}' >/dev/null
rings SluiceBrokerIsAway SluiceLaneMakesNoProgress SluiceRowsWaitLong
# A command that fails becomes a dead letter, and the breaker of its handler opens.
"$sluice" process --async Explode '{"counter_id": "c-1"}' >/dev/null
rings SluiceDeadLetters SluiceCircuitBreakerOpened
"$sluice" outbox discard --broker partner --yes >/dev/null
rings SluiceRowsAbandoned
# The database's file is replaced by something else.
mv tiny.db gone.db && echo "no database" >tiny.db && rm -f tiny.db-wal tiny.db-shm
rings SluiceDatabaseIsAway SluiceIsNotReady
kill -KILL "$server"
rings SluiceIsGone
echo "all rang"
