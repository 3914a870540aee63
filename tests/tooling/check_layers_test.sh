#!/usr/bin/env bash
# check_layers_test.sh SCRIPT: feeds the layering check one include at a time.
set -euo pipefail

script=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failures=0

# verdict FILE INCLUDE: accepted or refused
verdict() {
    rm -rf "$work/tree"
    mkdir -p "$work/tree/include/sluice" "$work/tree/src" "$(dirname "$work/tree/$1")"
    echo "#include $2" >"$work/tree/$1"
    if "$script" "$work/tree" >/dev/null; then echo accepted; else echo refused; fi
}

expect() {
    local expected=$1 found
    found=$(verdict "$2" "$3")
    if [[ $found != "$expected" ]]; then
        echo "$2 with $3: expected $expected, was $found" >&2
        failures=$((failures + 1))
    fi
}

expect accepted src/engine/lanes.cpp '"outbox/lane.hpp"'
expect accepted src/engine/lanes.cpp '"engine/lanes.hpp"'
expect accepted src/consume/inbox.cpp '"outbox/retry.hpp"'
expect refused src/outbox/lane.cpp '"engine/lanes.hpp"'
expect refused src/base/json.cpp '"domain/field.hpp"'
expect refused src/base/json.cpp '"json.hpp"'
expect refused src/base/json.cpp '<domain/field.hpp>'
expect refused src/attic/old.cpp '<vector>'

expect accepted src/app/run.cpp '"store/sqlite/store.hpp"'
expect accepted src/store/sqlite/store.cpp '"store/sqlite/statement.hpp"'
expect refused src/engine/lanes.cpp '"store/sqlite/store.hpp"'
expect refused src/cli/status.cpp '"broker/inline/broker.hpp"'
expect refused src/broker/sqlite/broker.cpp '"store/sqlite/statement.hpp"'

expect accepted src/sqlite/connection.cpp '<sqlite3.h>'
expect refused src/store/sqlite/store.cpp '<sqlite3.h>'
expect accepted src/store/sqlite/store.cpp '"sqlite/connection.hpp"'
expect accepted src/broker/sqlite/broker.cpp '"sqlite/connection.hpp"'
expect refused src/sqlite/connection.cpp '"store/store.hpp"'
expect refused src/engine/lanes.cpp '"sqlite/connection.hpp"'
expect refused src/store/memory/store.cpp '<sqlite3.h>'
expect accepted src/config/read.cpp '<toml++/toml.h>'
expect refused src/engine/lanes.cpp '<toml++/toml.h>'
expect accepted src/cli/terminal/command_line.cpp '<CLI/CLI.hpp>'
expect refused src/cli/status.cpp '<CLI/CLI.hpp>'
expect refused src/engine/lanes.cpp '<CLI/CLI.hpp>'
expect accepted src/http/server.cpp '<boost/beast/http.hpp>'
expect accepted src/http/server.cpp '<boost/asio.hpp>'
expect accepted src/net/listener.cpp '<boost/asio/ip/tcp.hpp>'
expect refused src/net/dial.cpp '<boost/asio/ip/tcp.hpp>'
expect accepted src/http/metrics.cpp '<prometheus/counter.h>'
expect refused src/cli/server.cpp '<boost/beast/http.hpp>'
expect refused src/cli/server.cpp '<boost/beast.hpp>'
expect refused src/engine/lanes.cpp '<boost/asio/io_context.hpp>'
expect refused src/engine/lanes.cpp '<prometheus/counter.h>'

expect accepted include/sluice/store.hpp '<sluice/json.hpp>'
expect accepted include/sluice/store.hpp '<vector>'
expect accepted include/sluice/describe.hpp '<boost/describe.hpp>'
expect refused include/sluice/store.hpp '<sqlite3.h>'
expect refused include/sluice/store.hpp '<spdlog/spdlog.h>'
expect refused include/sluice/store.hpp '"store/store.hpp"'

# A capability counts when somebody outside of the adapters asks for it.
for asking in 'if (broker.can().sings) {}' 'if (broker.can().swings) {}'; do
    rm -rf "$work/tree"
    mkdir -p "$work/tree/include/sluice" "$work/tree/src/broker" "$work/tree/src/engine"
    printf '#include <string>\nstruct capabilities {\n    bool sings = true;  ///< aloud\n};\n' >"$work/tree/src/broker/broker.hpp"
    echo "$asking" >"$work/tree/src/engine/lanes.cpp"
    if "$script" "$work/tree" 2>/dev/null; then found=accepted; else found=refused; fi
    [[ $asking == *swings* ]] && expected=refused || expected=accepted
    if [[ $found != "$expected" ]]; then
        echo "$asking: expected $expected, was $found" >&2
        failures=$((failures + 1))
    fi
done

((failures == 0))
