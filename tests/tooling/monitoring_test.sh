#!/usr/bin/env bash
# monitoring_test.sh ROOT SLUICE: the committed dashboard and rules are those of the program's metrics, every rule is tried,
# and what is not current or not possible is refused.
set -euo pipefail
root=$1
sluice=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0
complain() { echo "$1" >&2 && failed=1; }

"$root/scripts/monitoring.py" "$sluice" --check || complain "the files of packaging/monitoring are not current"
if command -v promtool >/dev/null; then
    promtool check rules "$root/packaging/monitoring/sluice.rules.yml" >"$work/log" || { cat "$work/log" && complain "bad rules"; }
    promtool test rules "$root/packaging/monitoring/sluice.rules.test.yml" >"$work/log" 2>&1 ||
        { cat "$work/log" && complain "a rule does not ring for its failure, or rings for another"; }
else
    echo "promtool is not installed: the rules are not tried"
fi
for alert in $(sed -n 's/^ *- alert: //p' "$root/packaging/monitoring/sluice.rules.yml"); do
    grep -q "name: $alert\$" "$root/packaging/monitoring/sluice.rules.test.yml" || complain "nobody tries $alert"
done
grep -q '^sluice_outbox_published_total  *counter  *broker, database, domain, external  ' <<<"$("$sluice" metrics)" ||
    complain "sluice metrics does not show them"

# The check can fail: a copy of the generator beside other files.
mkdir -p "$work/scripts" "$work/packaging/monitoring"
refused() { # refused TITLE SUBSTITUTION
    sed "$2" "$root/scripts/monitoring.py" >"$work/scripts/monitoring.py"
    ! python3 "$work/scripts/monitoring.py" "$sluice" --check >"$work/log" 2>&1 || complain "$1 is accepted"
}
cp "$root"/packaging/monitoring/sluice* "$work/packaging/monitoring"
refused "a rule about no metric" 's/sluice_outbox_abandoned) > 0/sluice_outbox_forgotten) > 0/'
refused "a label that the metric does not have" 's/by (domain, handler, stream) (sluice_subscription_dead/by (domain, group) (sluice_subscription_dead/'
refused "a metric without a place" 's/"sluice_schedule",/"sluice_timer",/'
refused "a rule that is not written down" 's/) > 300/) > 301/'
rm "$work/packaging/monitoring/sluice-dashboard.json"
refused "a dashboard that is missing" ''
exit "$failed"
