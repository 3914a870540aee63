#!/usr/bin/env bash
# Looks for texts that a reader cannot cope with: each fuzz target under libFuzzer, AddressSanitizer and
# UndefinedBehaviorSanitizer.
set -euo pipefail

usage() {
    cat <<'TEXT'
usage: scripts/fuzz.sh [--seconds N | --hours N | --runs N] [--build DIRECTORY] [TARGET...]

Runs every target, or those named, for a minute each, after building them in build/asan. It starts from
tests/fuzz/corpus/TARGET and keeps what it learns in DIRECTORY/fuzz/TARGET. A text that breaks a rule is left in
DIRECTORY/fuzz/found, and the run ends with 1: mend the reader, and add the text to the corpus.

  --seconds N        this long each
  --hours N          this long each
  --runs N           this many inputs each, from the corpus alone; as far as can be, the same ones on every machine
  --build DIRECTORY  a build with SLUICE_FUZZ that is there already; nothing is built
TEXT
}

cd "$(dirname "${BASH_SOURCE[0]}")/.."
seconds=60
runs=
directory=
names=()
while (($#)); do
    case $1 in
        -h | --help) usage && exit 0 ;;
        --seconds) seconds=${2:?"--seconds needs a number"} && shift ;;
        --hours) seconds=$((${2:?"--hours needs a number"} * 3600)) && shift ;;
        --runs) runs=${2:?"--runs needs a number"} && shift ;;
        --build) directory=${2:?"--build needs a directory"} && shift ;;
        -*) usage >&2 && exit 2 ;;
        *) names+=("$1") ;;
    esac
    shift
done

if [[ ! $directory ]]; then
    directory=build/asan
    # shellcheck source=scripts/build.sh
    source scripts/build.sh
    build_preset asan "$directory" "" fuzz
fi
if ((${#names[@]} == 0)); then
    for each in tests/fuzz/corpus/*/; do names+=("$(basename "$each")"); done
fi

export ASAN_OPTIONS=${ASAN_OPTIONS:-halt_on_error=1:detect_leaks=1}
export UBSAN_OPTIONS=${UBSAN_OPTIONS:-halt_on_error=1:print_stacktrace=1}
limit=("-max_total_time=$seconds")
# What a comparison saw depends on addresses, and inputs made of that would differ from machine to machine.
if [[ $runs ]]; then limit=("-runs=$runs" -seed=1 -use_cmp=0 -use_memmem=0 -entropic=0); fi
status=0
mkdir -p "$directory/fuzz/found"
for name in "${names[@]}"; do
    seeds=tests/fuzz/corpus/$name
    if [[ ! -d $seeds ]]; then
        echo "there is no target $name; there are: $(ls tests/fuzz/corpus | tr '\n' ' ')" >&2
        exit 2
    fi
    learnt=$directory/fuzz/$name
    if [[ $runs ]]; then rm -rf "$learnt"; fi
    mkdir -p "$learnt"
    log=$directory/fuzz/$name.log
    # Some inputs make a reader allocate much on purpose; a leak is found without a limit on memory.
    if SLUICE_FUZZ_TARGET=$name "$directory/bin/fuzz" "${limit[@]}" -timeout=10 -rss_limit_mb=2048 \
        -max_len=8192 -print_final_stats=1 -artifact_prefix="$directory/fuzz/found/$name-" "$learnt" "$seeds" \
        >"$log" 2>&1; then
        echo "$name: $(sed -n 's/^stat::number_of_executed_units: *//p' "$log") runs, nothing found"
    else
        status=1
        echo "$name: found something; the text is in $directory/fuzz/found, and this was said:" >&2
        tail -n 60 "$log" >&2
    fi
done
exit $status
