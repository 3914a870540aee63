#!/usr/bin/env bash
# check_layers.sh [ROOT]: fails when an #include goes against the house rules of docs/architecture.md:
#   - a room includes only its own floor and lower ones, by "room/file.hpp";
#   - an adapter (store/sqlite, broker/inline, ...) is included only by itself, the composition roots (app, testing) and
#     tests;
#   - a driver's or tool's header is included only by the rooms that own it;
#   - a public header includes only the standard library, Boost and other public headers;
#   - each of a broker's capabilities is asked for outside of the adapters.
set -euo pipefail
cd "${1:-$(dirname "${BASH_SOURCE[0]}")/..}"

grep -rnE '^[[:space:]]*#[[:space:]]*include[[:space:]]*["<]' --include='*.hpp' --include='*.cpp' include src |
    awk '
    BEGIN {
        rooms = "base domain,net,sqlite envelope,observe,config store,broker,telemetry lease commit command process,projection outbox,consume engine operate http console cli app,testing"
        floors = split(rooms, by_floor, " ")
        for (f = 1; f <= floors; f++) {
            n = split(by_floor[f], names, ",")
            for (i = 1; i <= n; i++) floor[names[i]] = f
        }
        owner["sqlite3.h"] = "^src/sqlite/"
        owner["sqlite"] = "^src/((store|broker)/)?sqlite/"
        owner["libpq-fe.h"] = "^src/store/postgresql/"
        owner["hiredis"] = "^src/broker/redis/"
        owner["librdkafka"] = "^src/broker/kafka/"
        owner["amqp.h"] = "^src/broker/rabbitmq/"
        owner["amqp_framing.h"] = "^src/broker/rabbitmq/"
        owner["nats"] = "^src/broker/nats/"
        owner["xxhash.h"] = "^src/base/fingerprint\\.cpp$"
        owner["toml++"] = "^src/config/"
        owner["curl"] = "^src/telemetry/http_transport\\.cpp$"
        owner["CLI"] = "^src/cli/terminal/command_line\\.cpp$"
        owner["systemd"] = "^src/cli/service/"
        owner["crypt.h"] = "^src/console/secrets\\.cpp$"
        owner["prometheus"] = "^src/http/"
        owner["boost/beast"] = "^src/(http|broker/webhook)/|^src/net/(first_chunk|linger)\\."
        owner["boost/asio"] = "^src/(http|broker/webhook)/|^src/net/(listener|first_chunk|linger)\\."
    }
    function complain(what) { printf "%s:%s: %s\n", file, line, what; bad = 1 }
    function adapter_of(path,    parts) {
        return path ~ /^(store|broker)\/[^\/]+\// ? (split(path, parts, "/") ? parts[1] "/" parts[2] : "") : ""
    }
    {
        split($0, at, ":")
        file = at[1]; line = at[2]
        text = $0
        sub(/^[^"<]*/, "", text)
        quoted = text ~ /^"/
        target = substr(text, 2)
        sub(/[">].*/, "", target)
        room = target
        sub(/\/.*/, "", room)

        if (file ~ /^include\//) {
            if (quoted || (target ~ /[\/.]/ && room != "sluice" && room != "boost"))
                complain("a public header includes " target "; only the standard library, Boost and <sluice/...> may appear")
            next
        }

        own = file
        sub(/^src\//, "", own)
        own_room = own
        sub(/\/.*/, "", own_room)
        if (!(own_room in floor)) complain("src/" own_room " is no room; add it to its floor in scripts/check_layers.sh")

        if (target in owner && file !~ owner[target]) complain(target " is not for this room")
        if (room in owner && file !~ owner[room]) complain(target " is not for this room")
        library = target
        if (match(library, /^[^\/]+\/[^\/.]+/)) library = substr(library, 1, RLENGTH)
        if (library != target && library in owner && file !~ owner[library]) complain(target " is not for this room")

        if (!quoted) {
            if (room in floor && target ~ /\//) complain("include \"" target "\" with quotes: it is an internal header")
            next
        }
        if (!(room in floor) || target !~ /\//) {
            complain("include \"" target "\" as \"room/file.hpp\", or <...> when it is not internal")
            next
        }
        if (floor[room] > floor[own_room])
            complain(own_room " (floor " floor[own_room] - 1 ") includes " target " (floor " floor[room] - 1 ")")
        adapter = adapter_of(target)
        # What webhooks receive is kept in the embedded broker.
        if (adapter == "broker/sqlite" && adapter_of(own) == "broker/webhook") next
        if (adapter != "" && adapter != adapter_of(own) && own_room != "app" && own_room != "testing")
            complain(target " is an adapter; only app, testing and tests may name it")
    }
    END { exit bad }'

# What only an adapter and its tests know of is no capability.
port=src/broker/broker.hpp
[[ -f $port ]] || exit 0
sed -n '/^struct capabilities {/,/^};/p' "$port" | sed -nE 's/^ *[a-z:_]+ ([a-z_]+) = .*/\1/p' | {
    bad=0
    while IFS= read -r capability; do
        grep -rqE "\\.$capability\\b" --include='*.cpp' --exclude-dir=broker src && continue
        echo "$port: nobody outside of src/broker asks for capability $capability" >&2
        bad=1
    done
    exit "$bad"
}
