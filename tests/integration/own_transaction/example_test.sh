#!/usr/bin/env bash
# example_test.sh WAREHOUSE DOMAIN_TOML: the example writes events on its own transactions, and its engine carries them.
set -euo pipefail

warehouse=$1
work=$(mktemp -d)
server=
trap '[[ -z $server ]] || kill "$server" 2>/dev/null || true; rm -rf "$work"' EXIT
cp "$2" "$work/"
cd "$work"

rows() { "$warehouse" outbox list --status "$1" --json | grep -o '"target_broker"' | wc -l || true; }
expect() { [[ $2 == "$3" ]] || { echo "$1: expected $3, got $2" >&2 && exit 1; }; }

"$warehouse" db setup
"$warehouse" pick hammer 3
"$warehouse" pick hammer 4
expect "rows of two events for two brokers" "$(rows pending)" 4

# The application's own rule fails: neither its change nor the event remains.
! "$warehouse" pick hammer 4
! "$warehouse" pick spade 1
expect "stock" "$(sqlite3 warehouse.db "SELECT stock FROM item WHERE id = 'hammer'")" 3
expect "rows after refused picks" "$(rows pending)" 4

"$warehouse" server >server.log 2>&1 &
server=$!
for ((tries = 600; tries > 0; --tries)); do
    published=$(rows published)
    ((published == 4)) && break
    sleep 0.1
done
expect "published rows" "$published" 4
kill -TERM "$server"
wait "$server"
server=
