#!/usr/bin/env bash
# Checks the model of the outbox in docs/model with Spin: every run of the protocol holds, and every known fault is found.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

usage() {
    cat <<'TEXT'
usage: scripts/check_model.sh [--large] [--only NAME] [--show NAME]

  --large      also the bounds that take minutes and gigabytes
  --only NAME  this run or fault
  --show NAME  the steps that lead to what is found there

docs/model/README.md says what is modelled, and what a run and a fault are.
TEXT
}

large=false
only=
show=false
while (($#)); do
    case $1 in
        -h | --help) usage && exit 0 ;;
        --large) large=true ;;
        --only | --show)
            [[ $1 == --show ]] && show=true
            only=${2:?"$1 needs the name of a run or a fault"}
            shift
            ;;
        *) usage >&2 && exit 2 ;;
    esac
    shift
done

# NAME BOUNDS...: no property may break. Bounds that are not named have the defaults of the model.
runs='
gaps                   TAKEOVERS=2 ABORTS=1
refusals               TAKEOVERS=0 REFUSALS=2 OUTAGES=1
refusals_and_takeover  REFUSALS=1 WRITERS=3 COMMITS=1
outage_and_refusal     REFUSALS=1 OUTAGES=1 WRITERS=1 COMMITS=3
outages                OUTAGES=1 TAKEOVERS=2 WRITERS=3 COMMITS=1
one_by_one             REFUSALS=1 BATCH=1 WRITERS=3 COMMITS=1
read_ahead             READ_AHEAD=1 REFUSALS=1 WRITERS=1 COMMITS=3
read_ahead_of_gaps     READ_AHEAD=1
lost_answers           LOST_ANSWERS=1 REFUSALS=1 WRITERS=3 COMMITS=1
lost_answers_and_gaps  LOST_ANSWERS=1 ABORTS=1
near_once              MEMORY=UNSETTLED BROKER_FENCE=1 OUTAGES=1 LOST_ANSWERS=1
near_once_read_ahead   MEMORY=UNSETTLED BROKER_FENCE=1 READ_AHEAD=1 WRITERS=3 COMMITS=1
hand_over              TAKEOVERS=0 HAND_OVERS=2 REFUSALS=1
retry                  TAKEOVERS=0 REFUSALS=2 RETRIES=1 LOST_ANSWERS=1 WRITERS=1 COMMITS=3
retry_and_takeover     REFUSALS=2 RETRIES=1 WRITERS=1 COMMITS=3
discard                TAKEOVERS=0 REFUSALS=1 DISCARDS=1 LOST_ANSWERS=1
discard_and_takeover   DISCARDS=1 REFUSALS=1 WRITERS=1 COMMITS=3
split                  SPLIT=1 ENGINES=1 WRITERS=3 COMMITS=1
split_and_hand_over    SPLIT=1 ENGINES=1 TAKEOVERS=0 HAND_OVERS=1 REFUSALS=1 WRITERS=1 COMMITS=3
mark_written_later     LAZY_MARK=1 REFUSALS=1 WRITERS=3 COMMITS=1
retention              PURGES=1 ABORTS=1 WRITERS=3 COMMITS=1
retention_and_retry    PURGES=1 RETRIES=1 REFUSALS=1 WRITERS=1 COMMITS=3
retention_of_shards    PURGES=1 SPLIT=2 ENGINES=1 WRITERS=3 COMMITS=1
merging                MERGES=1 LOST_ANSWERS=1
merging_and_retention  MERGES=1 PURGES=1 WRITERS=3 COMMITS=1 TAKEOVERS=2
hand_row               HAND_ROWS=1 WRITERS=2 COMMITS=1
hand_row_and_retention HAND_ROWS=1 PURGES=1 WRITERS=1 COMMITS=3
backfill               BACKFILL=1 WRITERS=1 COMMITS=3
backfill_of_gaps       BACKFILL=1 WRITERS=2 COMMITS=1 ABORTS=1
backfill_from_middle   BACKFILL=1 BACKFILL_AFTER=1 PAGE=2 WRITERS=1 COMMITS=3
backfill_and_refusal   BACKFILL=1 REFUSALS=1 READ_AHEAD=1 WRITERS=1 COMMITS=2
backfill_and_outage    BACKFILL=1 OUTAGES=1 LOST_ANSWERS=1 WRITERS=1 COMMITS=2
backfill_cancelled     BACKFILL=1 CANCELS=1 WRITERS=2 COMMITS=1
backfill_of_shards     BACKFILL=1 SPLIT=2 ENGINES=1 CANCELS=1 WRITERS=2 COMMITS=1
backfill_and_split     BACKFILL=1 SPLIT=1 ENGINES=1 WRITERS=1 COMMITS=2
backfill_and_retention BACKFILL=1 PURGES=1 WRITERS=1 COMMITS=3 TAKEOVERS=0 ENGINES=1
backfill_and_hand_row  BACKFILL=1 HAND_ROWS=1 WRITERS=1 COMMITS=2
'
large_runs='
large_refusals         REFUSALS=2
large_doubt            REFUSALS=1 OUTAGES=1 ABORTS=1
large_doubt_and_gaps   TAKEOVERS=0 REFUSALS=2 OUTAGES=1 ABORTS=1
large_one_by_one       REFUSALS=1 BATCH=1
large_outages          OUTAGES=1 TAKEOVERS=2
large_read_ahead       READ_AHEAD=1 REFUSALS=1
large_lost_answers     LOST_ANSWERS=1 REFUSALS=1
large_hand_over        HAND_OVERS=1 REFUSALS=1
large_retry            REFUSALS=2 RETRIES=1 WRITERS=3 COMMITS=1
large_retry_unanswered TAKEOVERS=0 REFUSALS=2 RETRIES=1 LOST_ANSWERS=1
large_discard          DISCARDS=1 REFUSALS=1
large_split            SPLIT=1 ENGINES=1 REFUSALS=1
large_retention_gaps   PURGES=1 ABORTS=1
large_retention        PURGES=2 RETRIES=1 REFUSALS=2 WRITERS=3 COMMITS=1
large_hand_row         HAND_ROWS=1 WRITERS=3 COMMITS=1
large_split_hand_over  SPLIT=1 ENGINES=1 TAKEOVERS=0 HAND_OVERS=1 REFUSALS=1 WRITERS=3 COMMITS=1
large_backfill         BACKFILL=1 WRITERS=3 COMMITS=1
large_backfill_shards  BACKFILL=1 SPLIT=2 ENGINES=1 CANCELS=1 WRITERS=1 COMMITS=3 TAKEOVERS=0
large_backfill_gaps    BACKFILL=1 WRITERS=3 COMMITS=1 TAKEOVERS=0 ENGINES=1 ABORTS=1
large_backfill_refusal BACKFILL=1 REFUSALS=1 WRITERS=1 COMMITS=3
large_backfill_retry   BACKFILL=1 RETRIES=1 REFUSALS=2 WRITERS=1 COMMITS=2
large_backfill_ahead   BACKFILL=1 READ_AHEAD=1 CANCELS=1 WRITERS=1 COMMITS=3
'
# FAULT PROPERTY BOUNDS...: this property must break. A fault in small letters is one of the bounds.
faults='
SETTLE_WITHOUT_FENCE         one_owner
MARK_PASSES_OPEN_ROW         sum_closes              REFUSALS=1
MARK_PASSES_GAP              sum_closes
MARK_PASSES_BATCH_IN_FLIGHT  sum_closes              READ_AHEAD=1
TAKEOVER_AT_POSITION         sum_closes
TAKEOVER_WITHOUT_LEDGER      delivered_once          MEMORY=UNSETTLED BROKER_FENCE=1
HOLD_DROPPED_EARLY           sum_closes              REFUSALS=1 BATCH=1
LATE_ROW_IGNORES_HOLD        order_within_a_stream   REFUSALS=1
LATE_ROW_HANDED_OUT_TWICE    hold_covers             REFUSALS=1 READ_AHEAD=1
RETRY_WITHOUT_RESCAN         sum_closes              REFUSALS=1 RETRIES=1
SETTLEMENT_UNDOES_RETRY      retry_is_an_attempt     REFUSALS=2 RETRIES=1 LOST_ANSWERS=1
RETRY_KNOWN_BY_COUNT         retry_is_an_attempt     REFUSALS=2 RETRIES=1 LOST_ANSWERS=1
RECORD_WRITTEN_AGAIN         listed_once             LOST_ANSWERS=1
ROW_OF_LISTED                row_or_listed           LOST_ANSWERS=1
DISCARDED_ROW_STAYS          row_or_listed           DISCARDS=1
GAP_ENDS_BY_LATER_ANSWER     sum_closes
GAPS_BEFORE_ROWS             order_within_a_stream
CATCH_UP_BEFORE_SETTLEMENT   order_within_a_stream   REFUSALS=2
FETCH_BEFORE_SETTLEMENT      delivered_once          OUTAGES=1 MEMORY=UNSETTLED BROKER_FENCE=1
HAND_OVER_IN_FLIGHT          delivered_once          TAKEOVERS=0 HAND_OVERS=1
SPLIT_AT_HIGHEST_MARK        sum_closes              SPLIT=1 ENGINES=1
SPLIT_KEEPS_FORMER_LEASE     listed_once             SPLIT=1 ENGINES=1
PURGE_DECIDES_BEFORE_LOCK    sum_closes              PURGES=1 RETRIES=1 REFUSALS=2
PURGE_ABOVE_LOWEST_MARK      sum_closes              PURGES=1
PURGE_KEEPS_FLOOR            sum_closes              PURGES=1
MERGE_WITHOUT_FENCE          listed_once             MERGES=1 PURGES=1 TAKEOVERS=2
MERGE_FILLS_RANGE            published_is_delivered  MERGES=1 ABORTS=1
HAND_ROW_KEEPS_MARK          sum_closes              HAND_ROWS=1 WRITERS=1
HAND_ROW_CHECKED_BEFORE_LOCK row_or_listed           HAND_ROWS=1 WRITERS=1
NO_CEILING                   order_within_a_stream   BACKFILL=1 WRITERS=1 TAKEOVERS=0 ENGINES=1
CURSOR_PASSES_CEILING        sum_closes              BACKFILL=1 WRITERS=1 TAKEOVERS=0 ENGINES=1
CEILING_READ_LATER           sum_closes              BACKFILL=1 WRITERS=1 TAKEOVERS=0 ENGINES=1 SPLIT=2
END_READ_AFTER_WRITERS       sum_closes              BACKFILL=1 COMMITS=1 TAKEOVERS=0 ENGINES=1
BACKFILL_WITHOUT_WAITING     sum_closes              BACKFILL=1 COMMITS=1 TAKEOVERS=0 ENGINES=1
BACKFILL_LOOKS_BEFORE_WAITING sum_closes             BACKFILL=1 COMMITS=1 TAKEOVERS=0 ENGINES=1
BACKFILL_KEEPS_MARK          sum_closes              BACKFILL=1 WRITERS=1 TAKEOVERS=0 ENGINES=1
BACKFILL_WITHOUT_RESCAN      sum_closes              BACKFILL=1 WRITERS=1 TAKEOVERS=0 ENGINES=1
BACKFILL_OF_LISTED           row_or_listed           BACKFILL=1 WRITERS=1 TAKEOVERS=0 ENGINES=1
STEP_WITHOUT_FENCE           one_owner               BACKFILL=1 WRITERS=1
STEP_WITHOUT_LOCK            sum_closes              BACKFILL=1 WRITERS=1 CANCELS=1
DOUBT_COUNTS_AS_DELIVERED    published_is_delivered  OUTAGES=1
broker_without_fence         delivered_once          MEMORY=UNSETTLED
broker_remembers_two_batches delivered_once          MEMORY=2 BROKER_FENCE=1 BATCH=1 READ_AHEAD=1
'

for tool in spin "${CC:=cc}"; do
    command -v "$tool" >/dev/null || {
        echo "check_model: there is no $tool; scripts/install_deps.sh dev installs it" >&2
        exit 1
    }
done
model=$PWD/docs/model/store_once.pml
work=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null || true; rm -rf "$work"' EXIT
cd "$work"

# The compiler takes more time for -O1 than it spares where there are few states.
how=(-O0 -DMEMLIM=1500)
if $large; then how=(-O2 -DMEMLIM=16000 -DCOLLAPSE); fi

# explore BOUNDS...: sets `broken`, the property that breaks, and `states`.
explore() {
    spin "${@/#/-D}" -a "$model" >spin.log || {
        cat spin.log >&2
        return 1
    }
    "$CC" "${how[@]}" -w -DSAFETY -o pan pan.c || return 1
    ./pan -n -m100000 -w22 >pan.log 2>&1 || true
    broken=$(sed -nE 's/^pan:1: assertion violated \(*([a-z_]+)\|\|.*/\1/p' pan.log)
    states=$(sed -nE 's/^ *([0-9]+) states, stored.*/\1/p' pan.log)
    if [[ ! $broken ]] && ! grep -q 'errors: 0$' pan.log || grep -qE 'max search depth|out of memory|memory limit' pan.log; then
        cat pan.log >&2
        broken=${broken:-unfinished}
    fi
    if $show && [[ $broken ]]; then ./pan -r ./*.trail || true; fi
}

# check_run NAME BOUNDS...
check_run() {
    local name=$1
    shift
    explore "$@" || return 1
    if [[ $broken ]]; then
        echo "model: $name breaks $broken ($*); scripts/check_model.sh --show $name" >&2
        return 1
    fi
    printf '%-28s %10s states\n' "$name" "$states"
}

# check_fault NAME PROPERTY BOUNDS...
check_fault() {
    local fault=$1 property=$2 bug=$1
    shift 2
    [[ $fault =~ [a-z] ]] && bug=0
    explore "BUG=$bug" "$@" || return 1
    if [[ $broken != "$property" ]]; then
        echo "model: $fault must break $property, not ${broken:-nothing}; scripts/check_model.sh --show $fault" >&2
        return 1
    fi
    printf '%-28s found: %s\n' "$fault" "$property"
}

# one_of_all CHECK NAME ...: when it is wanted, as soon as one of two places is free.
ran=0
one_of_all() {
    [[ ! $only || $only == "$2" ]] || return 0
    while (($(jobs -pr | wc -l) >= 2)); do wait -n || true; done
    ran=$((ran + 1))
    (
        mkdir "$ran"
        cd "$ran"
        "$@" || touch ../bad."$ran"
        cd ..
        rm -rf "$ran"
    ) &
}

if $large; then runs+=$large_runs; fi
while read -r name bounds; do
    # shellcheck disable=SC2086  # words
    if [[ $name ]]; then one_of_all check_run "$name" $bounds; fi
done <<<"$runs"
while read -r fault property bounds; do
    # shellcheck disable=SC2086  # words
    if [[ $fault ]]; then one_of_all check_fault "$fault" "$property" $bounds; fi
done <<<"$faults"
while [[ $(jobs -pr) ]]; do wait -n || true; done

if ((ran == 0)); then
    echo "check_model: there is no run or fault $only; $0 --help" >&2
    exit 2
fi
bad=$(find . -name 'bad.*' | wc -l)
echo "$ran runs of the model, $bad not as they must be"
((bad == 0))
