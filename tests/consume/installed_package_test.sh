#!/usr/bin/env bash
# installed_package_test.sh BUILD_DIR PROJECT_DIR
# Installs Sluice into a temporary prefix, moves the prefix, and uses it as a stranger would.
set -euo pipefail

build=$1
project=$2
cmake=${CMAKE:-cmake}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

step() { printf -- '--- %s\n' "$*"; }

step "install"
"$cmake" --install "$build" --prefix "$work/staging" >/dev/null
mkdir "$work/elsewhere"
prefix=$work/elsewhere/sluice
mv "$work/staging" "$prefix"

step "nothing in the package points back at the source, the build or the first prefix"
if grep -rnF -e "$build" -e "$work/staging" "$prefix/lib/cmake" "$prefix/include"; then
    echo "the package is not relocatable" >&2
    exit 1
fi

step "configure and build the project"
"$cmake" -S "$project" -B "$work/build" -G Ninja -DCMAKE_PREFIX_PATH="$prefix" >/dev/null
"$cmake" --build "$work/build"

step "the kit that tests a domain is a component of its own"
"$cmake" -S "$(dirname "${BASH_SOURCE[0]}")/kit" -B "$work/kit" -G Ninja -DCMAKE_PREFIX_PATH="$prefix" \
    -DPARCELS="$project" >/dev/null
"$cmake" --build "$work/kit"
told=$("$work/kit/parcels_test")
[[ $told == ParcelSent ]] || { echo "the partner should be told ParcelSent, it is told: $told" >&2; exit 1; }

step "a service with an HTTP server of its own embeds the domain, without the command line"
embedding=$(dirname "$project")/embedding
"$cmake" -S "$embedding" -B "$work/embedding" -G Ninja -DCMAKE_PREFIX_PATH="$prefix" >/dev/null
"$cmake" --build "$work/embedding"
if nm -C "$work/embedding/parcel_http" | grep -m 3 -E 'CLI::|sluice::cli::'; then
    echo "the service has the command line linked in" >&2
    exit 1
fi
cp "$embedding/domain.toml" "$work/embedding/"
(cd "$work/embedding" && exec ./parcel_http domain.toml 0) >"$work/told" 2>"$work/log" &
service=$!
trap 'kill "$service" 2>/dev/null || true; rm -rf "$work"' EXIT
for ((tries = 600; tries > 0; --tries)); do
    [[ -s $work/told ]] && break
    sleep 0.1
done
port=$(sed 's/.*://' "$work/told")
ask() { # ask METHOD PATH [BODY]: the whole answer
    exec 3<>"/dev/tcp/127.0.0.1/$port"
    printf '%s %s HTTP/1.1\r\nHost: localhost\r\nContent-Length: %s\r\n\r\n%s' "$1" "$2" "${#3}" "${3-}" >&3
    cat <&3
    exec 3>&-
}
ask POST /commands/SendParcel '{"parcel_id": "p-1", "grams": 250, "destination": "Lisbon"}' | grep -q '200 OK'
ask POST /commands/SendParcel '{"parcel_id": "p-2", "grams": 0, "destination": "Lisbon"}' | grep -q 'weighs something'
for ((tries = 600; tries > 0; --tries)); do
    ask GET /metrics '' | grep -E 'sluice_outbox_published_total\{[^}]*external="true"' | grep -q ' 1$' && break
    sleep 0.1
done
((tries > 0)) || { echo "the partner was not told" >&2; exit 1; }
ask GET /readyz '' | grep -q '200 OK'
ask GET /console '' | grep -q '<h1>Overview</h1>'
kill -TERM "$service"
wait "$service"
[[ $(wc -l <"$work/told") == 1 ]] || { echo "something else was printed: $(cat "$work/told")" >&2; exit 1; }
grep -q 'engine.stopped in_time=yes' "$work/log"

# From here on as the tutorial in README.md says it.
cp "$project/domain.toml" "$work/build/"
cd "$work/build"
export SLUICE_DOMAIN=$work/build/libparcels.so
sluice=$prefix/bin/sluice

step "the installed binary loads the domain"
"$sluice" version
"$sluice" check

step "a command is processed and its event published to both brokers"
"$sluice" server &
server=$!
trap 'kill "$server" 2>/dev/null || true; rm -rf "$work"' EXIT
"$sluice" process SendParcel '{"parcel_id": "p-1", "grams": 250, "destination": "Lisbon"}'
for ((tries = 600; tries > 0; --tries)); do
    published=$("$sluice" outbox list --status published --json | grep -o '"target_broker"' | wc -l || true)
    ((published == 3)) && break
    sleep 0.1
done
((published == 3)) || { echo "3 rows should be published, $published are" >&2; exit 1; }

step "a command that breaks a rule is refused and leaves nothing"
! "$sluice" process SendParcel '{"parcel_id": "p-2", "grams": 0, "destination": "Lisbon"}'
kill -TERM "$server"
wait "$server"

step "the linked program runs the same commands"
"$work/build/parcel_service" check
"$work/build/parcel_service" status
