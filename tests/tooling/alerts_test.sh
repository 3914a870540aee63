#!/usr/bin/env bash
# alerts_test.sh ROOT SLUICE DOMAIN: a real service fails in several ways, a real Prometheus looks at it, and the alerts ring.
# Their waits and windows are shortened, since the rules themselves are tried with promtool.
set -euo pipefail
root=$1
sluice=$2
export SLUICE_DOMAIN=$3
# shellcheck source=tests/tooling/scraped_service.sh
source "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/scraped_service.sh"
cat >>domain.toml <<'TOML'
subscription.max_retries = 1
subscription.circuit_breaker_threshold = 1
TOML
start_server
sed -E -e '/^ *for: /d' -e 's/\[[0-9]+m\]/[1m]/' -e 's/_seconds\) > [0-9]+/_seconds) > 1/' \
    "$root/packaging/monitoring/sluice.rules.yml" >rules.yml
start_prometheus 'global: {scrape_interval: 1s, evaluation_interval: 1s}
rule_files: [rules.yml]'

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
