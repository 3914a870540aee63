#!/usr/bin/env bash
# kafka.sh start DIR [PROPERTY=VALUE...]   a private Kafka, one KRaft node, with everything it has in DIR
# kafka.sh stop DIR                        ends it; DIR stays
# kafka.sh fetch                           only fetches the broker, once for all builds of this user
# kafka.sh tool CLASS [ARGUMENT...]        one of Kafka's own tools
#
# DIR/env then holds KAFKA_PORT, KAFKA_PID and SLUICE_TEST_KAFKA_URI; KAFKA_SASL_PORT, where the user `shop` logs in with the
# password `s3cret` (PLAIN, SCRAM-SHA-512); and KAFKA_TLS_PORT, where `localhost` shows a certificate that DIR/ca.pem has
# signed. DIR/other-ca.pem has signed none. Set KAFKA_PORT to insist on a port, for a restart; a DIR that has data keeps them.
# The properties come last in server.properties. The broker comes from Maven Central and is kept in $SLUICE_KAFKA_HOME, by
# default in the user's cache folder.
set -euo pipefail

version=4.3.1
home=${SLUICE_KAFKA_HOME:-${XDG_CACHE_HOME:-${HOME:-/var/tmp}/.cache}/sluice/kafka-$version}

fail() {
    echo "kafka.sh: $*" >&2
    exit 1
}

runs() { [[ -e /proc/$1/exe ]]; }
# free_ports COUNT
free_ports() {
    python3 -c 'import random, socket, sys
found = []
while len(found) < int(sys.argv[1]):
    port = random.randint(20000, 32000)  # below the choices of the kernel
    with socket.socket() as s:
        try: s.bind(("127.0.0.1", port))
        except OSError: continue
    if port not in found: found.append(port)
print(*found)' "$1"
}

fetch() {
    [[ -f $home/complete ]] && return
    command -v java >/dev/null || fail "there is no Java here; run scripts/install_deps.sh dev"
    command -v mvn >/dev/null || fail "there is no Maven here; run scripts/install_deps.sh dev"
    mkdir -p "$home"
    exec {lock}>"$home/lock"
    flock -w 300 "$lock" || fail "somebody else has been fetching Kafka for five minutes (lock $home/lock)"
    if [[ ! -f $home/complete ]]; then
        cat >"$home/pom.xml" <<XML
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>sluice</groupId><artifactId>kafka-for-tests</artifactId><version>1</version>
  <dependencies>
    <dependency><groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>$version</version></dependency>
  </dependencies>
</project>
XML
        timeout 280 mvn -B -q -f "$home/pom.xml" -Dmaven.wagon.http.connectionTimeout=20000 \
            -Dmaven.wagon.rto=60000 dependency:copy-dependencies -DoutputDirectory="$home/libs" >"$home/maven.log" 2>&1 || {
            tail -n 5 "$home/maven.log" >&2
            fail "Kafka $version could not be fetched from Maven Central; the tests of Kafka need it (log $home/maven.log)"
        }
        touch "$home/complete"
    fi
    exec {lock}>&-
}

# Little memory, and quick to start: nothing here lives for long.
jvm() { java -Xms128m -Xmx384m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -cp "$home/libs/*" "$@"; }

make_certificates() {
    if [[ -f $directory/server.pem ]]; then return; fi
    local ca key=(-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes)
    for ca in ca other-ca; do
        openssl req -x509 "${key[@]}" -days 3650 -subj "/CN=$ca" -keyout "$directory/$ca.key" \
            -out "$directory/$ca.pem" 2>/dev/null
    done
    openssl req "${key[@]}" -subj /CN=kafka -keyout "$directory/server.key" -out "$directory/server.csr" 2>/dev/null
    openssl x509 -req -days 3650 -in "$directory/server.csr" -CA "$directory/ca.pem" -CAkey "$directory/ca.key" \
        -CAcreateserial -extfile <(echo "subjectAltName=DNS:localhost") -out "$directory/server.crt" 2>/dev/null
    cat "$directory/server.key" "$directory/server.crt" >"$directory/server.pem"
}

write_properties() {
    local port=$1 controller=$2 sasl=$3 tls=$4
    shift 4
    cat >"$directory/server.properties" <<CONF
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:$controller
listeners=PLAINTEXT://127.0.0.1:$port,CONTROLLER://127.0.0.1:$controller,SASL_PLAINTEXT://127.0.0.1:$sasl,SSL://127.0.0.1:$tls
advertised.listeners=PLAINTEXT://127.0.0.1:$port,SASL_PLAINTEXT://127.0.0.1:$sasl,SSL://localhost:$tls
sasl.enabled.mechanisms=SCRAM-SHA-512,PLAIN
listener.name.sasl_plaintext.scram-sha-512.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
listener.name.sasl_plaintext.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required user_shop="s3cret";
listener.name.ssl.ssl.keystore.type=PEM
listener.name.ssl.ssl.keystore.location=$directory/server.pem
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SASL_PLAINTEXT:SASL_PLAINTEXT,SSL:SSL
controller.listener.names=CONTROLLER
log.dirs=$directory/data
num.partitions=1
auto.create.topics.enable=false
offsets.topic.num.partitions=4
offsets.topic.replication.factor=1
transaction.state.log.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
num.network.threads=2
num.io.threads=2
log.cleaner.dedupe.buffer.size=2000000
CONF
    if (($# > 0)); then printf '%s\n' "$@" >>"$directory/server.properties"; fi
}

answers() { timeout 5 kcat -b "127.0.0.1:$1" -L -m 2 >/dev/null 2>&1; }

start() {
    fetch
    command -v kcat >/dev/null || fail "kcat is not installed; run scripts/install_deps.sh dev"
    mkdir -p "$directory"
    stop
    make_certificates
    local attempt port controller sasl tls pid waited
    for ((attempt = 0; attempt < 3; ++attempt)); do
        port=${KAFKA_PORT:-$(free_ports 1)}
        read -r controller sasl tls < <(free_ports 3)
        write_properties "$port" "$controller" "$sasl" "$tls" "$@"
        if [[ ! -f $directory/data/meta.properties ]]; then
            jvm kafka.tools.StorageTool format --ignore-formatted -t MkU3OEVBNTcwNTJENDM2Qg \
                -c "$directory/server.properties" --add-scram 'SCRAM-SHA-512=[name=shop,password=s3cret]' >"$directory/format.log" 2>&1 || {
                cat "$directory/format.log" >&2
                fail "its storage could not be formatted"
            }
        fi
        : >"$directory/kafka.log"
        # The pid is that of Java itself, so that it can be frozen.
        (exec java -Xms128m -Xmx384m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -cp "$home/libs/*" \
            ${KAFKA_JAVA_ARGUMENTS:-} kafka.Kafka "$directory/server.properties" </dev/null >"$directory/kafka.log" 2>&1) &
        pid=$!
        for ((waited = 0; waited < 600; ++waited)); do
            runs $pid || break
            if answers "$port"; then
                disown $pid
                printf 'KAFKA_PORT=%s\nKAFKA_SASL_PORT=%s\nKAFKA_TLS_PORT=%s\nKAFKA_PID=%s\n' \
                    "$port" "$sasl" "$tls" $pid >"$directory/env"
                echo "SLUICE_TEST_KAFKA_URI=kafka://127.0.0.1:$port" >>"$directory/env"
                return
            fi
            sleep 0.1
        done
        kill -9 $pid 2>/dev/null || true
        grep -q 'Address already in use' "$directory/kafka.log" || break
    done
    tail -n 40 "$directory/kafka.log" >&2
    fail "Kafka did not start"
}

stop() {
    [[ -f $directory/env ]] || return 0
    local KAFKA_PID waited
    KAFKA_PID=$(sed -n 's/^KAFKA_PID=//p' "$directory/env")
    rm -f "$directory/env"
    [[ $(cat "/proc/$KAFKA_PID/comm" 2>/dev/null) == java ]] || return 0
    kill -CONT "$KAFKA_PID" 2>/dev/null || true
    kill -TERM "$KAFKA_PID" 2>/dev/null || true
    for ((waited = 0; waited < 100; ++waited)); do
        runs "$KAFKA_PID" || return 0
        sleep 0.1
    done
    kill -9 "$KAFKA_PID" 2>/dev/null || true
}

action=${1:-}
directory=${2:-}
case $action in
    fetch) fetch ;;
    tool)
        shift
        jvm "$@" 2> >(grep -v '^SLF4J' >&2)
        ;;
    start | stop)
        [[ $directory ]] || fail "which directory?"
        shift 2
        "$action" "$@"
        ;;
    *) fail "usage: kafka.sh start DIR [PROPERTY=VALUE...] | stop DIR | fetch | tool CLASS [ARGUMENT...]" ;;
esac
