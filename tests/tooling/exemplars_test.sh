#!/usr/bin/env bash
# exemplars_test.sh SLUICE DOMAIN: a real Prometheus scrapes a real service and keeps the exemplars of its histograms.
set -euo pipefail
sluice=$1
export SLUICE_DOMAIN=$2
# shellcheck source=tests/tooling/scraped_service.sh
source "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/scraped_service.sh"
mkdir partner
# Nobody takes the spans: that they are recorded is enough here.
cat >>domain.toml <<'TOML'
[telemetry]
enabled = true
endpoint = "http://127.0.0.1:9"
metrics = false
TOML
start_server
start_prometheus 'global: {scrape_interval: 1s}' --enable-feature=exemplar-storage

trace=0af7651916cd43dd8448eb211c80319c
"$sluice" process CreateCounter '{"counter_id": "c-1"}' --traceparent "00-$trace-b7ad6b7169203331-01" >/dev/null

# kept METRIC: Prometheus has an exemplar of its buckets with the trace of the command.
kept() {
    curl -sG "http://127.0.0.1:$port/api/v1/query_exemplars" --data-urlencode "query=$1_bucket" \
        --data-urlencode "start=$(($(date +%s) - 3600))" --data-urlencode "end=$(($(date +%s) + 60))" 2>/dev/null |
        python3 -c '
import json, sys
try:
    series = json.load(sys.stdin)["data"]
except (ValueError, KeyError):
    sys.exit(1)
found = [each["labels"] for of in series for each in of["exemplars"]]
sys.exit(not any(each.get("trace_id") == sys.argv[1] and len(each.get("span_id", "")) == 16 for each in found))' "$trace"
}
for metric in sluice_outbox_latency_seconds sluice_handler_duration_seconds; do
    for ((tries = 180; tries > 0; --tries)); do
        if kept "$metric"; then break; fi
        sleep 0.5
    done
    ((tries > 0)) || { echo "Prometheus has no exemplar of $metric" >&2 && tail prometheus.log server.log >&2 && exit 1; }
done
# A text that Prometheus cannot read is a target that is down.
up=$(curl -sG "http://127.0.0.1:$port/api/v1/query" --data-urlencode 'query=min_over_time(up{job="sluice"}[1m])')
[[ $up == *'"1"]'* ]] || { echo "Prometheus could not read a scrape: $up" >&2 && exit 1; }
echo "Prometheus keeps the exemplars"
