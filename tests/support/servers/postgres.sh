#!/usr/bin/env bash
# postgres.sh start|stop DIR: a private PostgreSQL cluster for tests, with a PgBouncer in transaction mode before it.
#
# `start` makes the cluster in a temporary directory, on free loopback ports and as a user other than root, and leaves
# in DIR what the tests read:
#   env    SLUICE_TEST_POSTGRES_URI, SLUICE_TEST_PGBOUNCER_URI, SLUICE_TEST_POSTGRES_LOG (a file),
#          SLUICE_TEST_POSTGRES_CONTROL (the path below)
#   control  a script: `control restart`, `control crash` (SIGQUIT, no checkpoint, then started again), `control stop`,
#            `control start`, `control fail_over_to PORT`, and, of a standby that streams: `control add_standby PORT`,
#            `control cut_standby` (it gets nothing more) and `control promote_standby` (the primary dies before),
#            `control login FILE` (the lines of pg_hba.conf) and `control certificate CERTIFICATE KEY` (for TLS)
# `stop` ends what `start` began and removes it. A server left over from an earlier run is stopped first.
set -euo pipefail

action=${1:?"usage: postgres.sh start|stop DIR"}
directory=${2:?"usage: postgres.sh start|stop DIR"}

programs=
for candidate in /usr/lib/postgresql/*/bin /usr/local/pgsql/bin; do
    if [[ -x $candidate/postgres ]]; then programs=$candidate; fi
done
if [[ ! $programs ]]; then
    echo "postgres.sh: there is no PostgreSQL server here; run scripts/install_deps.sh dev" >&2
    exit 1
fi

# PostgreSQL refuses to run as root.
as_server=()
if ((EUID == 0)); then as_server=(setpriv --reuid=postgres --regid=postgres --clear-groups); fi

# Below those that the kernel gives to clients: one of these may be gone before the server has started, or while it is
# restarted.
free_port() {
    python3 -c 'import random, socket
while True:
    port = random.randint(20000, 32000)
    with socket.socket() as s:
        try: s.bind(("127.0.0.1", port))
        except OSError: continue
    break
print(port)'
}

stop() {
    local home
    home=$(cat "$directory/home" 2>/dev/null) || return 0
    if [[ -f $home/pgbouncer.pid ]]; then kill "$(cat "$home/pgbouncer.pid")" 2>/dev/null || true; fi
    for data in "$home/data" "$home/standby"; do
        if [[ -f $data/postmaster.pid ]]; then
            "${as_server[@]}" "$programs/pg_ctl" -D "$data" -m immediate -w stop >/dev/null 2>&1 || true
        fi
    done
    rm -rf "$home" "$directory"/{home,env,control}
}

start() {
    mkdir -p "$directory"
    stop
    local home port pool_port
    home=$(mktemp -d "${TMPDIR:-/tmp}/sluice-postgres.XXXXXX")
    echo "$home" >"$directory/home"
    if ((EUID == 0)); then chown postgres: "$home"; fi
    cd "$home"

    port=$(free_port)
    "${as_server[@]}" "$programs/initdb" -D "$home/data" -U sluice -A trust -E UTF8 --locale=C.UTF-8 --no-sync \
        >"$home/initdb.log" || { cat "$home/initdb.log" >&2 && return 1; }
    # Commits are as durable as in production (fsync, synchronous_commit); only what no test looks at is cheaper.
    "${as_server[@]}" tee -a "$home/data/postgresql.conf" >/dev/null <<CONF
listen_addresses = '127.0.0.1'
port = $port
unix_socket_directories = '$home'
max_connections = 100
shared_buffers = 128MB
max_wal_size = 2GB
timezone = 'Asia/Kolkata'   # a store that forgets the zone is half an hour off
log_line_prefix = '%m [%p] '
CONF
    "${as_server[@]}" "$programs/pg_ctl" -D "$home/data" -l "$home/server.log" -w -t 60 start >/dev/null ||
        { tail -n 20 "$home/server.log" >&2 && return 1; }
    "${as_server[@]}" "$programs/createdb" -h "$home" -p "$port" -U sluice test

    {
        echo '#!/usr/bin/env bash'
        echo "set -e; cd '$home'"
        echo "pg_ctl() { ${as_server[*]} '$programs/pg_ctl' -D '$home/data' -l '$home/server.log' -w -t 60 \"\$@\" >/dev/null; }"
        echo 'case $1 in'
        echo '    restart) pg_ctl -m fast restart ;;'
        echo '    crash) pg_ctl -m immediate stop; pg_ctl start ;;'
        echo '    stop) pg_ctl -m fast stop ;;'
        echo '    start) pg_ctl start ;;'
        # What a failover looks like from outside: another address, other processes, read-only until it is promoted.
        echo '    fail_over_to) pg_ctl -m immediate stop'
        echo "        echo \"port = \$2\" >>'$home/data/postgresql.conf'"
        echo "        ${as_server[*]} touch '$home/data/standby.signal'"
        echo '        pg_ctl start; sleep 1; pg_ctl promote'
        echo "        sed -i \"/POSTGRES_URI/s#:[0-9]*/test#:\$2/test#\" '$directory/env' ;;"
        echo '    add_standby)'
        echo "        ${as_server[*]} '$programs/pg_basebackup' -h 127.0.0.1 -p $port -U sluice -D '$home/standby' -R -c fast"
        echo "        printf '%s\n' \"port = \$2\" 'wal_retrieve_retry_interval = 100ms' >>'$home/standby/postgresql.conf'"
        echo "        ${as_server[*]} '$programs/pg_ctl' -D '$home/standby' -l '$home/standby.log' -w -t 60 start >/dev/null ;;"
        echo '    cut_standby)'
        echo "        echo \"primary_conninfo = ''\" >>'$home/standby/postgresql.auto.conf'"
        echo "        ${as_server[*]} '$programs/pg_ctl' -D '$home/standby' reload >/dev/null ;;"
        echo '    promote_standby) pg_ctl -m immediate stop'
        echo "        ${as_server[*]} '$programs/pg_ctl' -D '$home/standby' -w -t 60 promote >/dev/null ;;"
        echo "    login) ${as_server[*]} tee '$home/data/pg_hba.conf' <\"\$2\" >/dev/null; pg_ctl reload ;;"
        echo '    certificate)'
        echo "        ${as_server[*]} tee '$home/data/server.crt' <\"\$2\" >/dev/null"
        echo "        (umask 077 && ${as_server[*]} tee '$home/data/server.key' <\"\$3\" >/dev/null); pg_ctl reload ;;"
        echo '    *) exit 2 ;;'
        echo 'esac'
    } >"$directory/control"
    chmod +x "$directory/control"

    {
        echo "SLUICE_TEST_POSTGRES_URI=postgresql://sluice@127.0.0.1:$port/test"
        echo "SLUICE_TEST_POSTGRES_CONTROL=$(realpath "$directory" 2>/dev/null || echo "$directory")/control"
        echo "SLUICE_TEST_POSTGRES_LOG=$home/server.log"
    } >"$directory/env.new"
    if command -v pgbouncer >/dev/null; then
        pool_port=$(free_port)
        "${as_server[@]}" tee "$home/pgbouncer.ini" >/dev/null <<CONF
[databases]
* = host=127.0.0.1 port=$port
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = $pool_port
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = 4
max_client_conn = 200
logfile = $home/pgbouncer.log
pidfile = $home/pgbouncer.pid
CONF
        # auth_type any takes no user from the client, so the database line names it.
        sed -i "s/^\\* = .*/& user=sluice/" "$home/pgbouncer.ini"
        "${as_server[@]}" pgbouncer -d -q "$home/pgbouncer.ini"
        echo "SLUICE_TEST_PGBOUNCER_URI=postgresql://sluice@127.0.0.1:$pool_port/test" >>"$directory/env.new"
    fi
    mv "$directory/env.new" "$directory/env"
}

directory=$(mkdir -p "$directory" && cd "$directory" && pwd)
case $action in
    start) start || { stop; exit 1; } ;;
    stop) stop ;;
    *) echo "usage: postgres.sh start|stop DIR" >&2 && exit 2 ;;
esac
