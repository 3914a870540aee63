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
refusals               TAKEOVERS=0 REFUSALS=2 OUTAGES=1 ABORTS=1
refusals_and_takeover  REFUSALS=1
outage_and_refusal     REFUSALS=1 OUTAGES=1 WRITERS=3 COMMITS=1
outages                OUTAGES=1 TAKEOVERS=2
one_by_one             REFUSALS=1 BATCH=1
read_ahead             READ_AHEAD=1 REFUSALS=1 WRITERS=3 COMMITS=1
read_ahead_of_gaps     READ_AHEAD=1
lost_answers           LOST_ANSWERS=1 REFUSALS=1 WRITERS=3 COMMITS=1
lost_answers_and_gaps  LOST_ANSWERS=1 ABORTS=1
near_once              MEMORY=UNSETTLED BROKER_FENCE=1 OUTAGES=1 LOST_ANSWERS=1
near_once_read_ahead   MEMORY=UNSETTLED BROKER_FENCE=1 READ_AHEAD=1
hand_over              TAKEOVERS=0 HAND_OVERS=2 REFUSALS=1
retry                  TAKEOVERS=0 REFUSALS=2 RETRIES=1 LOST_ANSWERS=1
retry_and_takeover     REFUSALS=2 RETRIES=1 WRITERS=1 COMMITS=3
discard                TAKEOVERS=0 REFUSALS=1 DISCARDS=1 LOST_ANSWERS=1
discard_and_takeover   DISCARDS=1 REFUSALS=1 WRITERS=3 COMMITS=1
split                  SPLIT=1 ENGINES=1
split_and_hand_over    SPLIT=1 ENGINES=1 TAKEOVERS=0 HAND_OVERS=1 REFUSALS=1 WRITERS=3 COMMITS=1
backfill               BACKFILL=1
backfill_and_refusal   BACKFILL=1 REFUSALS=1 WRITERS=3 COMMITS=1
'
large_runs='
large_refusals         REFUSALS=2
large_doubt            REFUSALS=1 OUTAGES=1 ABORTS=1
large_read_ahead       READ_AHEAD=1 REFUSALS=1
large_lost_answers     LOST_ANSWERS=1 REFUSALS=1
large_hand_over        HAND_OVERS=1 REFUSALS=1
large_retry            REFUSALS=2 RETRIES=1 WRITERS=3 COMMITS=1
large_discard          DISCARDS=1 REFUSALS=1
large_split            SPLIT=1 ENGINES=1 REFUSALS=1
large_backfill         BACKFILL=1 REFUSALS=1
'
# FAULT PROPERTY BOUNDS...: this property must break. A fault in small letters is one of the bounds.
faults='
SETTLE_WITHOUT_FENCE         one_owner
MARK_PASSES_OPEN_ROW         sum_closes              REFUSALS=1
MARK_PASSES_GAP              sum_closes
MARK_PASSES_BATCH_IN_FLIGHT  sum_closes              READ_AHEAD=1
TAKEOVER_AT_POSITION         sum_closes
TAKEOVER_WITHOUT_LEDGER      row_or_listed
HOLD_DROPPED_EARLY           sum_closes              REFUSALS=1 BATCH=1
LATE_ROW_IGNORES_HOLD        order_within_a_stream   REFUSALS=1
LATE_ROW_HANDED_OUT_TWICE    hold_covers             REFUSALS=1 READ_AHEAD=1
RETRY_WITHOUT_RESCAN         sum_closes              REFUSALS=2 RETRIES=1
SETTLEMENT_UNDOES_RETRY      retry_is_an_attempt     REFUSALS=2 RETRIES=1 LOST_ANSWERS=1
REUSED_RECORD                sum_closes
DISCARDED_ROW_STAYS          row_or_listed           DISCARDS=1
GAP_ENDS_BY_LATER_ANSWER     sum_closes
GAPS_BEFORE_ROWS             order_within_a_stream
CATCH_UP_BEFORE_SETTLEMENT   order_within_a_stream   REFUSALS=2
FETCH_BEFORE_SETTLEMENT      row_or_listed           OUTAGES=1
HAND_OVER_IN_FLIGHT          delivered_once          TAKEOVERS=0 HAND_OVERS=1
SPLIT_AT_HIGHEST_MARK        sum_closes              SPLIT=1 ENGINES=1
SPLIT_KEEPS_FORMER_LEASE     listed_once             SPLIT=1 ENGINES=1
BACKFILL_BESIDE_LIVE_ROWS    order_within_a_stream   BACKFILL=1
BACKFILL_WITHOUT_WAITING     nothing_lost            BACKFILL=1
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
trap 'rm -rf "$work"' EXIT
cd "$work"
bad=0
ran=0

# explore OPTIMISATION MEGABYTES BOUNDS...: sets `broken`, the property that breaks, and `states`.
explore() {
    local optimisation=$1 megabytes=$2
    shift 2
    rm -f pan* ./*.trail
    spin "${@/#/-D}" -a "$model" >spin.log || {
        cat spin.log >&2
        exit 1
    }
    "$CC" "$optimisation" -w -DSAFETY -DCOLLAPSE "-DMEMLIM=$megabytes" -o pan pan.c
    ./pan -n -m100000 -w22 >pan.log 2>&1 || true
    broken=$(sed -nE 's/^pan:1: assertion violated \(*([a-z_]+)\|\|.*/\1/p' pan.log)
    states=$(sed -nE 's/^ *([0-9]+) states, stored.*/\1/p' pan.log)
    if [[ ! $broken ]] && ! grep -q 'errors: 0$' pan.log || grep -qE 'max search depth|out of memory|memory limit' pan.log; then
        cat pan.log >&2
        broken=${broken:-unfinished}
    fi
    if $show && [[ $broken ]]; then ./pan -r -n; fi
}

if $large; then runs+=$large_runs; fi
while read -r name bounds; do
    [[ $name && (! $only || $only == "$name") ]] || continue
    # shellcheck disable=SC2086  # words
    explore -O1 $($large && echo 16000 || echo 1500) $bounds
    ran=$((ran + 1))
    if [[ $broken ]]; then
        bad=$((bad + 1))
        echo "model: $name breaks $broken ($bounds); scripts/check_model.sh --show $name" >&2
    else
        printf '%-28s %10s states\n' "$name" "$states"
    fi
done <<<"$runs"

while read -r fault property bounds; do
    [[ $fault && (! $only || $only == "$fault") ]] || continue
    bug=$fault
    [[ $fault =~ [a-z] ]] && bug=0
    # shellcheck disable=SC2086  # words
    explore -O0 1500 "BUG=$bug" $bounds
    ran=$((ran + 1))
    if [[ $broken == "$property" ]]; then
        printf '%-28s found: %s\n' "$fault" "$property"
    else
        bad=$((bad + 1))
        echo "model: $fault must break $property, not ${broken:-nothing}; scripts/check_model.sh --show $fault" >&2
    fi
done <<<"$faults"

if ((ran == 0)); then
    echo "check_model: there is no run or fault $only; $0 --help" >&2
    exit 2
fi
echo "$ran runs of the model, $bad not as they must be"
((bad == 0))
