#!/usr/bin/env bash
# Installs the Debian 12 packages that Sluice is built with. Does nothing when all are there.
set -euo pipefail

usage() {
    cat <<'TEXT'
usage: scripts/install_deps.sh [build] [servers] [dev] [--list]

  build    compiler, build tools and libraries (the default)
  servers  PostgreSQL, PgBouncer, Redis, RabbitMQ, NATS, and what Kafka runs on; none of them is started
  dev      what the tests, the formatter, the linter and the sanitizers need, servers included
  --list   print the package names instead of installing them

Installs what is missing with apt-get, as root or through sudo.
TEXT
}

build_packages=(
    cmake ninja-build g++ ccache mold pkg-config
    libboost1.81-dev libsqlite3-dev sqlite3 libtomlplusplus-dev libcli11-dev libfmt-dev libspdlog-dev libssl-dev
    prometheus-cpp-dev libcurl4-openssl-dev libpq-dev libhiredis-dev librdkafka-dev librabbitmq-dev libnats-dev libxxhash-dev
    libcrypt-dev
    libsystemd-dev
)
server_packages=(
    postgresql-15 pgbouncer redis-server python3 maven openjdk-17-jre-headless kcat
    rabbitmq-server amqp-tools nats-server openssl
)
dev_packages=(
    "${server_packages[@]}"
    clang-14 libclang-rt-14-dev clang-format-14 clang-tidy-14 libgtest-dev libgmock-dev librapidcheck-dev python3-venv faketime
    curl doxygen mandoc zsh fish prometheus spin chromium chromium-driver
)

packages=()
list=false
for argument in "$@"; do
    case $argument in
        build) packages+=("${build_packages[@]}") ;;
        servers) packages+=("${server_packages[@]}") ;;
        dev) packages+=("${dev_packages[@]}") ;;
        --list) list=true ;;
        -h | --help) usage && exit 0 ;;
        *) usage >&2 && exit 2 ;;
    esac
done
((${#packages[@]})) || packages=("${build_packages[@]}")

if $list; then
    printf '%s\n' "${packages[@]}"
    exit 0
fi

is_installed() { [[ $(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null) == installed ]]; }

if ! command -v dpkg-query >/dev/null; then
    echo "install_deps: this is no Debian system; install the equivalents of these packages yourself:" >&2
    printf '  %s\n' "${packages[@]}" >&2
    exit 1
fi

missing=()
for package in "${packages[@]}"; do
    is_installed "$package" || missing+=("$package")
done
((${#missing[@]})) || exit 0

as_root=()
if ((EUID != 0)); then
    if ! command -v sudo >/dev/null; then
        echo "install_deps: these packages are missing, and this is neither root nor is there sudo. As root, run:" >&2
        echo "  apt-get update && apt-get install --no-install-recommends ${missing[*]}" >&2
        exit 1
    fi
    as_root=(sudo)
fi

apt() { "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=300 "$@"; }

echo "installing ${missing[*]}"
log=$(mktemp)
# The servers among the packages are for the tests, which start private ones: installing them must start nothing.
policy=/usr/sbin/policy-rc.d
own_policy=false
if [[ ! -e $policy ]]; then
    own_policy=true
    printf '#!/bin/sh\nexit 101\n' | "${as_root[@]}" tee "$policy" >/dev/null
    "${as_root[@]}" chmod 755 "$policy"
fi
# PostgreSQL's package would also make a cluster that starts at the next boot.
no_cluster=/etc/postgresql-common/createcluster.d/sluice.conf
if [[ " ${missing[*]} " == *" postgresql-"* ]]; then
    "${as_root[@]}" mkdir -p "${no_cluster%/*}"
    echo "create_main_cluster = false" | "${as_root[@]}" tee "$no_cluster" >/dev/null
fi
clean_up() {
    rm -f "$log"
    "${as_root[@]}" rm -f "$no_cluster"
    if $own_policy; then "${as_root[@]}" rm -f "$policy"; fi
}
trap clean_up EXIT
if ! { apt update && apt install --no-install-recommends "${missing[@]}"; } >"$log" 2>&1; then
    tail -n 40 "$log" >&2
    echo "install_deps: apt-get could not install: ${missing[*]}" >&2
    echo "  Sluice is built on Debian 12 (bookworm); check the network and /etc/apt/sources.list*." >&2
    exit 1
fi
for service in redis-server pgbouncer rabbitmq-server nats-server prometheus; do
    if [[ " ${missing[*]} " == *" $service "* ]] && command -v systemctl >/dev/null; then
        "${as_root[@]}" systemctl --quiet disable "$service" 2>/dev/null || true  # nor at the next boot
    fi
done
