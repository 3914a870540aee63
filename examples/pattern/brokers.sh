#!/usr/bin/env bash
# The pattern with partners that have chosen their brokers: one published event of the shop leaves for each of them, by
# configuration alone, and the tools of each broker show what arrived.
# Everything it makes lies in build/demo-brokers and is made anew with each run.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

readonly known='kafka rabbitmq nats webhook'

usage() {
    cat <<'TEXT'
usage: ./run --servers --brokers LIST

LIST has one or more of kafka, rabbitmq, nats and webhook, separated by commas. Starts a private server for each, and a
shop whose published events go to all of them. Ships an order and shows its row for each broker, and each message as the
broker's own tool shows it. Stops everything it started.
TEXT
}

chosen=
while (($#)); do
    case $1 in
        -h | --help) usage && exit 0 ;;
        --brokers)
            chosen=${2:?"--brokers needs a list"}
            shift
            ;;
        *) printf 'run: unknown argument `%s`\n\n' "$1" >&2 && usage >&2 && exit 2 ;;
    esac
    shift
done
IFS=, read -ra brokers <<<"$chosen"
((${#brokers[@]})) || { usage >&2 && exit 2; }
for each in "${brokers[@]}"; do
    if [[ " $known " != *" $each "* ]]; then
        printf 'run: no broker `%s` for --brokers; there are: %s\n' "$each" "${known// /, }" >&2
        exit 2
    fi
done
has() { [[ ,$chosen, == *",$1,"* ]]; }

[[ -z ${SLUICE_CHECK_ARGUMENTS:-} ]] || exit 0  # they make sense: that was the question

readonly build=${SLUICE_BUILD:-$PWD/build} servers=$PWD/tests/support/servers
readonly sluice=$build/bin/sluice lib=$build/lib demo=$build/demo-brokers
readonly patience=60  # seconds that wait_until gives
# shellcheck source=examples/pattern/telling.sh
source examples/pattern/telling.sh

processes=()
stop_everything() {
    ((${#processes[@]} == 0)) || kill -TERM "${processes[@]}" 2>/dev/null || true
    wait "${processes[@]}" 2>/dev/null || true
    for each in kafka rabbitmq nats; do
        if has "$each"; then "$servers/$each.sh" stop "$demo/$each" || true; fi
    done
}
trap stop_everything EXIT

shop() { (cd "$demo/shop" && "$sluice" "$1" --domain="$lib/libshop.so" "${@:2}"); }
value() { sed -n "s/^$2=//p" "$demo/$1/env"; }

rm -rf "$demo"
mkdir -p "$demo"/shop "$demo"/{kafka,rabbitmq,nats,webhook}
config=$demo/shop/domain.toml

headline 'Servers of our own, one for each partner'
external=$(printf ', "partner_%s"' "${brokers[@]}")
cat >"$config" <<TOML
[databases.default]
provider = "sqlite"
database_uri = "sqlite:///shop.db"

[brokers.default]
provider = "sqlite"
URI = "sqlite:///internal.db"

[outbox]
external_brokers = [${external:2}]
TOML

if has kafka; then
    say 'Kafka'
    "$servers/kafka.sh" start "$demo/kafka" >/dev/null
    cat >>"$config" <<TOML

[brokers.partner_kafka]
provider = "kafka"
URI = "$(value kafka SLUICE_TEST_KAFKA_URI)"
create_topics = true
TOML
fi
if has rabbitmq; then
    say 'RabbitMQ'
    "$servers/rabbitmq.sh" start "$demo/rabbitmq" >/dev/null
    cat >>"$config" <<TOML

[brokers.partner_rabbitmq]
provider = "rabbitmq"
URI = "$(value rabbitmq SLUICE_TEST_RABBITMQ_URI)"
exchange = "amq.topic"
TOML
    # A message that no queue wants is refused, so the partner's queue is there first.
    amqp-consume --url "$(value rabbitmq SLUICE_TEST_RABBITMQ_URI)" -e amq.topic -r shop.order -q partner -d -c 1 cat \
        >"$demo/rabbitmq/received" 2>"$demo/rabbitmq/consumer.log" &
    processes+=($!)
fi
if has nats; then
    say 'NATS with JetStream'
    "$servers/nats.sh" start "$demo/nats" >/dev/null
    cat >>"$config" <<TOML

[brokers.partner_nats]
provider = "nats"
URI = "nats://127.0.0.1:$(value nats NATS_PORT)"
create_stream = true
TOML
    # Two lines of the protocol of NATS are enough to listen.
    python3 - "$(value nats NATS_PORT)" >"$demo/nats/received" <<'PYTHON' &
import socket, sys
with socket.create_connection(("127.0.0.1", int(sys.argv[1]))) as server:
    server.sendall(b'CONNECT {"verbose":false,"headers":true}\r\nSUB shop.order 1\r\n')
    for line in server.makefile("rb"):
        if line == b"PING\r\n": server.sendall(b"PONG\r\n")
        elif not line.startswith(b"INFO"): print(line.decode().rstrip(), flush=True)
PYTHON
    processes+=($!)
fi
if has webhook; then
    say 'a web server'
    secret=whsec_$(openssl rand -base64 32)
    python3 - "$demo/webhook/port" >"$demo/webhook/received" <<'PYTHON' &
import http.server, sys
class Partner(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"])).decode()
        print(self.requestline, *(f"{k}: {v}" for k, v in self.headers.items()), "", body, sep="\n", flush=True)
        self.send_response(204); self.end_headers()
    def log_message(self, *ignored): pass
with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Partner) as server:
    with open(sys.argv[1], "w") as port: port.write(str(server.server_port))
    server.serve_forever()
PYTHON
    processes+=($!)
    wait_until 'the web server' test -s "$demo/webhook/port"
    cat >>"$config" <<TOML

[brokers.partner_webhook]
provider = "webhook"
URI = "http://127.0.0.1:$(cat "$demo/webhook/port")/hooks/orders"
secrets = "$secret"
allow_private = true

[outbox.lanes.partner_webhook]
format = "cloudevents-binary"
TOML
fi

headline 'The shop: nothing but this configuration tells it of them'
sed 's/^secrets = .*/secrets = "…"/' "$config" | indented
shop db setup | indented
(cd "$demo/shop" && exec "$sluice" server --domain="$lib/libshop.so") >"$demo/shop/server.log" 2>&1 &
processes+=($!)

headline 'An order is shipped'
shop process PlaceOrder '{"order_id": "o-0"}' >/dev/null
shop process ShipOrder '{"order_id": "o-0", "tracking_number": "TRACK-0"}' >/dev/null
query() { sqlite3 -readonly "$demo/shop/shop.db" "$1"; }
all_published() { [[ $(query "SELECT count(*) FROM outbox WHERE status <> 'published'") == 0 ]]; }
wait_until 'publishing' all_published
command_line "SELECT target_broker, status, receipt FROM outbox WHERE message_id = 'shop::order-o-0-1.1'"
sqlite3 -readonly -column -header "$demo/shop/shop.db" \
    "SELECT target_broker, status, receipt FROM outbox WHERE message_id = 'shop::order-o-0-1.1'" | indented

shown() { cut -c1-"${COLUMNS:-160}" | indented; }
if has kafka; then
    headline 'What Kafka has'
    command_line 'kcat -C -t shop.order -o beginning -e'
    kcat -q -C -b "$(value kafka KAFKA_PORT | sed 's/^/127.0.0.1:/')" -t shop.order -o beginning -e \
        -f 'partition %p, offset %o, key %k\nheaders %h\n%s\n' | shown
fi
if has rabbitmq; then
    headline 'What RabbitMQ handed out'
    command_line 'amqp-consume -e amq.topic -r shop.order -q partner -c 1 cat'
    wait_until 'the message of RabbitMQ' test -s "$demo/rabbitmq/received"
    shown <"$demo/rabbitmq/received"
fi
if has nats; then
    headline 'What NATS handed out'
    command_line 'SUB shop.order 1'
    wait_until 'the message of NATS' grep -q TRACK-0 "$demo/nats/received"
    shown <"$demo/nats/received"
fi
if has webhook; then
    headline "What the partner's web server got, as a CloudEvent"
    wait_until 'the request' grep -q TRACK-0 "$demo/webhook/received"
    shown <"$demo/webhook/received"
fi
