#!/usr/bin/env bash
# The pattern on servers: the shop and fulfillment on PostgreSQL, joined by Redis. Two engines of the shop share its
# lanes; the partner's Redis stops answering, an engine is killed, and nothing is lost, doubled or out of order.
# Everything it makes lies in build/demo-servers and is made anew with each run.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

usage() {
    cat <<'TEXT'
usage: ./run --servers [--orders N]

Starts a PostgreSQL and two Redis servers of its own, and on them two engines of the shop and one of fulfillment. Places
N orders (default 500) while the partner's Redis hangs, kills an engine, and shows that everything arrives once and in
order. Stops everything it started.
TEXT
}

orders=500
while (($#)); do
    case $1 in
        -h | --help) usage && exit 0 ;;
        --orders)
            orders=${2:?"--orders needs a number"}
            shift
            ;;
        *) printf 'run: unknown argument `%s`\n\n' "$1" >&2 && usage >&2 && exit 2 ;;
    esac
    shift
done

[[ -z ${SLUICE_CHECK_ARGUMENTS:-} ]] || exit 0  # they make sense: that was the question

readonly build=${SLUICE_BUILD:-$PWD/build} servers=$PWD/tests/support/servers
readonly sluice=$build/bin/sluice lib=$build/lib demo=$build/demo-servers
readonly patience=30  # seconds that wait_until gives
# shellcheck source=examples/pattern/telling.sh
source examples/pattern/telling.sh

services=()
stop_everything() {
    kill -CONT "${partner_pid:-0}" 2>/dev/null || true
    ((${#services[@]} == 0)) || kill -TERM "${services[@]}" 2>/dev/null || true
    wait "${services[@]}" 2>/dev/null || true
    "$servers/redis.sh" stop "$demo/redis" || true
    "$servers/redis.sh" stop "$demo/partner-redis" || true
    "$servers/postgres.sh" stop "$demo/postgres" || true
}
trap stop_everything EXIT

service() { (cd "$demo/$1" && "$sluice" "$2" --domain="$lib/lib$1.so" "${@:3}"); }
start() { # start SERVICE LOG
    (cd "$demo/$1" && exec "$sluice" server --domain="$lib/lib$1.so") >"$demo/$1/$2" 2>&1 &
    services+=($!)
}
query() { psql -XqAt "$SHOP_DATABASE" -c "$1"; }
partner() { redis-cli -s "$demo/partner-redis/redis.sock" "$@"; }

all_published() { [[ $(query "SELECT count(*) FROM outbox WHERE status <> 'published'") == 0 ]]; }
lane_is() { [[ $(query "SELECT state FROM lease WHERE lane = 'default:$1'") == "$2" ]]; }
shipments() { psql -XqAt "$FULFILLMENT_DATABASE" -c "SELECT count(*) FROM aggregate_state WHERE aggregate = 'Shipment'"; }
has_shipments() { [[ $(shipments) == "$1" ]]; }

rm -rf "$demo"
mkdir -p "$demo"/{shop,fulfillment}
cp examples/shop/domain.toml "$demo/shop/"
cp examples/fulfillment/domain.toml "$demo/fulfillment/"

headline 'Servers of our own: a PostgreSQL, a Redis, and a Redis that belongs to the partner'
"$servers/postgres.sh" start "$demo/postgres" >/dev/null
"$servers/redis.sh" start "$demo/redis"
"$servers/redis.sh" start "$demo/partner-redis"
server_uri=$(sed -n 's/^SLUICE_TEST_POSTGRES_URI=//p' "$demo/postgres/env")
partner_pid=$(sed -n 's/^REDIS_PID=//p' "$demo/partner-redis/env")
for name in shop fulfillment; do psql -Xq "$server_uri" -c "CREATE DATABASE $name"; done
base=${server_uri%/*}
export SLUICE_ENV=servers SHOP_DATABASE=$base/shop FULFILLMENT_DATABASE=$base/fulfillment \
    SHOP_REDIS=unix://$demo/redis/redis.sock ANALYTICS_REDIS=unix://$demo/redis/redis.sock?db=1 \
    FULFILLMENT_REDIS=unix://$demo/partner-redis/redis.sock \
    FULFILLMENT_INTERNAL_REDIS=unix://$demo/partner-redis/redis.sock?db=1
service shop db setup | indented
service fulfillment db setup | indented

headline 'Two engines of the shop, one of fulfillment'
start shop server-1.log
start shop server-2.log
start fulfillment server.log
wait_until 'the lanes of the shop' lane_is fulfillment_broker idle
command_line 'sluice status'
service shop status | indented

headline 'An order is shipped'
service shop process PlaceOrder '{"order_id": "o-0"}' >/dev/null
service shop process ShipOrder '{"order_id": "o-0", "tracking_number": "TRACK-0"}' >/dev/null
wait_until 'publishing' all_published
command_line "SELECT target_broker, status, receipt FROM outbox WHERE message_id = 'shop::order-o-0-1.1'"
psql -Xq "$SHOP_DATABASE" -c "SELECT target_broker, status, receipt FROM outbox WHERE message_id = 'shop::order-o-0-1.1'" |
    indented
command_line 'redis-cli XREVRANGE shop::order + - COUNT 1'
partner XREVRANGE shop::order + - COUNT 1 | indented
wait_until 'the shipment' has_shipments 1

headline "The partner's Redis hangs: it takes connections and answers nothing"
command_line 'kill -STOP <its pid>'
kill -STOP "$partner_pid"
for ((n = 1; n <= orders; ++n)); do
    printf '{"command": "PlaceOrder", "data": {"order_id": "o-%d"}}\n' "$n"
    printf '{"command": "ShipOrder", "data": {"order_id": "o-%d"}}\n' "$n"
done >"$demo/commands.jsonl"
command_line "sluice process - < commands.jsonl          # $((2 * orders)) commands"
service shop process - <"$demo/commands.jsonl" | indented
wait_until 'the pause of the lane' lane_is fulfillment_broker paused
command_line 'sluice status'
service shop status | indented

headline 'One engine of the shop is killed, and the partner comes back'
command_line "kill -9 ${services[0]}; kill -CONT <the partner's pid>"
kill -KILL "${services[0]}"
wait "${services[0]}" 2>/dev/null || true
services=("${services[@]:1}")
kill -CONT "$partner_pid"
wait_until 'the delivery of what had waited' all_published
wait_until 'the shipments' has_shipments $((orders + 1))

entries=$(partner XLEN shop::order)
distinct=$(partner XRANGE shop::order - + | grep -oE '"id": ?"[^"]+"' | sort | uniq | wc -l)
((entries == orders + 1 && distinct == entries)) || fail "$entries messages arrived, $distinct of them distinct"
say "$entries messages for $((orders + 1)) published events, each once; $(shipments) shipments for $((orders + 1)) orders."
