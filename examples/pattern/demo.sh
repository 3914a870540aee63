#!/usr/bin/env bash
# The pattern, end to end, on real files: a shop and a fulfillment service, two processes with a database each, joined
# only by a broker. Everything it makes lies in build/demo and is made anew with each run.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

usage() {
    cat <<'TEXT'
usage: ./run [--keep-running]

Places orders in the shop, ships them, and shows the events on their way: the outbox rows of each event, the message as
fulfillment receives it, the shipment that results. Then takes fulfillment's broker away and brings it back.

  --keep-running   leave both services running, so that you can try commands of your own
TEXT
}

keep_running=false
for argument in "$@"; do
    case $argument in
        -h | --help) usage && exit 0 ;;
        --keep-running) keep_running=true ;;
        *) printf 'run: unknown argument `%s`\n\n' "$argument" >&2 && usage >&2 && exit 2 ;;
    esac
done

[[ -z ${SLUICE_CHECK_ARGUMENTS:-} ]] || exit 0  # they make sense: that was the question

readonly sluice=$PWD/build/bin/sluice lib=$PWD/build/lib demo=$PWD/build/demo
readonly patience=20  # seconds that wait_until gives
# shellcheck source=examples/pattern/telling.sh
source examples/pattern/telling.sh

services=()
stop_services() {
    ((${#services[@]})) || return 0
    kill -TERM "${services[@]}" 2>/dev/null || true
    wait "${services[@]}" 2>/dev/null || true
    services=()
}

# The commands run in the folder of their service, where its domain.toml lies.
shop() { (cd "$demo/shop" && "$sluice" "$1" --domain="$lib/libshop.so" "${@:2}"); }
process() {
    command_line "sluice process $1 '$2'"
    shop process "$1" "$2" >/dev/null
}

query() { sqlite3 -readonly -cmd '.timeout 5000' "$@"; }

rows_of() { # rows_of MESSAGE_ID: the picture that the documentation draws
    command_line "SELECT target_broker, status FROM outbox WHERE message_id = '$1'"
    query -box "$demo/shop/shop.db" "SELECT target_broker, status FROM outbox WHERE message_id = '$1'" | indented
}

message_in() { # message_in BROKER MESSAGE_ID: the bytes on the broker, one line for each part of the envelope
    query "$demo/$1/broker.db" "SELECT body FROM broker_message WHERE message_id = '$2'" |
        sed -E 's/"(metadata)":\{/\n "\1":{/; s/"(headers|domain|envelope|extensions)":\{/\n   "\1":{/g' | indented
}

state_of() { # state_of SERVICE AGGREGATE
    query "$demo/$1/$1.db" "SELECT state FROM aggregate_state WHERE aggregate = '$2' ORDER BY id" | indented
}

all_published() { [[ $(query "$demo/shop/shop.db" "SELECT count(*) FROM outbox WHERE status <> 'published'") == 0 ]]; }
shipments() { query "$demo/fulfillment/fulfillment.db" "SELECT count(*) FROM aggregate_state WHERE aggregate = 'Shipment'"; }
notices() { query "$demo/shop/shop.db" "SELECT count(*) FROM aggregate_state WHERE aggregate = 'Notice'"; }
has_shipments() { [[ $(shipments) == "$1" ]]; }
has_notices() { [[ $(notices) == "$1" ]]; }
lane_is() { [[ $(query "$demo/shop/shop.db" "SELECT state FROM lease WHERE lane = 'default:$1'") == "$2" ]]; }
is_set_up() { [[ -f $1 ]] && query "$1" 'SELECT count(*) FROM lease' >/dev/null 2>&1; }

start() { # start NAME
    (cd "$demo/$1" && exec "$sluice" server --domain="$lib/lib$1.so") >"$demo/$1/server.log" 2>&1 &
    services+=($!)
    wait_until "the start of $1" is_set_up "$demo/$1/$1.db"
}

trap stop_services EXIT
rm -rf "$demo"
mkdir -p "$demo"/{shop,fulfillment}/internal "$demo"/{fulfillment,analytics}_broker
cp examples/shop/domain.toml "$demo/shop/"
cp examples/fulfillment/domain.toml "$demo/fulfillment/"

headline 'Two bounded contexts start: one command each'
for service in shop fulfillment; do
    command_line "sluice server --domain=$service"
    start "$service"
done
say 'Each has a database of its own. Between them there is nothing but a broker.'

headline 'An order is placed, gets a note and is shipped'
process PlaceOrder '{"order_id": "o-1"}'
process AddNote '{"order_id": "o-1", "note": "leave at the door"}'
process ShipOrder '{"order_id": "o-1", "tracking_number": "TRACK-1"}'
wait_until 'publishing' all_published

headline 'The fork: a published event has one outbox row for each broker, an internal one has one'
say 'OrderShipped'
rows_of 'shop::order-o-1-2.1'
say 'OrderNoteAdded'
rows_of 'shop::order-o-1-1.1'

headline 'What fulfillment receives: the event, stripped of everything internal'
message_in fulfillment_broker 'shop::order-o-1-2.1'

headline 'What fulfillment makes of it: a shipment, by a command of its own'
wait_until 'the shipment' has_shipments 1
state_of fulfillment Shipment

headline "Fulfillment's broker goes away, and the shop goes on"
command_line 'mv fulfillment_broker fulfillment_broker.away'
mv "$demo/fulfillment_broker" "$demo/fulfillment_broker.away"
for order in o-2 o-3; do
    process PlaceOrder "{\"order_id\": \"$order\"}"
    process ShipOrder "{\"order_id\": \"$order\"}"
done
wait_until 'the internal processing' has_notices 3
say 'The customers are told all the same: internal processing does not wait for a partner.'
state_of shop Notice
wait_until 'the pause of the lane' lane_is fulfillment_broker paused
say "The partner's rows wait, and the outage costs them no attempt:"
rows_of 'shop::order-o-2-1.1'
command_line 'sluice status'
shop status | indented

headline 'It comes back'
command_line 'mv fulfillment_broker.away fulfillment_broker'
mv "$demo/fulfillment_broker.away" "$demo/fulfillment_broker"
wait_until 'the delivery of what had waited' all_published
wait_until 'the shipments' has_shipments 3
say 'Everything was delivered, once and in order:'
query -box "$demo/fulfillment_broker/broker.db" "SELECT id AS entry, message_id FROM broker_message ORDER BY id" | indented
state_of fulfillment Shipment

headline 'How to go on'
if $keep_running; then
    trap - EXIT
    disown -a
    say "Both services still run (stop them with: kill ${services[*]})."
else
    stop_services
    say 'Both services have stopped. Start one again, or see more:'
fi
cat <<TEXT
    cd build/demo/shop
    export SLUICE_DOMAIN=../../lib/libshop.so PATH=\$PATH:../../bin
    sluice server                                       # Ctrl-C ends it
    sluice process ShipOrder '{"order_id": "o-1"}'      # an error that says why
    sluice outbox list                                  # every row of every broker
    sluice status                                       # every lane
  The code of the two contexts: examples/shop and examples/fulfillment. The tutorial: README.md.
TEXT
