/*
 * The protocol of one broker's lanes when an event is stored once: README.md beside this file says what is modelled.
 *
 * Sets of numbers are bit masks: bit 0 is number 1 of the log. A cursor or a mark is the set of all numbers up to it,
 * so "x is below the cursor" is `x & cursor`, and the lower of two is their intersection.
 */

#define lowest(set)  ((set) & (-(set)))
#define below(set)   (lowest(set) - 1)  /* all numbers below the lowest of the set; all there are when it is empty */
#define upto(set)    ((set) | (set) >> 1 | (set) >> 2 | (set) >> 3 | (set) >> 4 | (set) >> 5 | (set) >> 6)

/* ---- bounds: scripts/check_model.sh sets them for each of its runs ----------------------------------------------- */

#ifndef WRITERS
#define WRITERS 2       /* processes that commit */
#endif
#ifndef COMMITS
#define COMMITS 2       /* transactions of each, with one event each */
#endif
#ifndef ABORTS
#define ABORTS 0        /* of all these transactions: numbers that never appear */
#endif
#ifndef BATCH
#define BATCH 2         /* rows of a batch, and of a page when a stream is caught up: 1 or 2 */
#endif
#ifndef READ_AHEAD
#define READ_AHEAD 0    /* 1: a batch is read while one is in flight, and flies while that one is settled */
#endif
#ifndef ENGINES
#define ENGINES 2       /* processes that compete for the first lane */
#endif
#ifndef TAKEOVERS
#define TAKEOVERS 1     /* a lane is taken from an owner that still believes in it: crashed, frozen or slow */
#endif
#ifndef HAND_OVERS
#define HAND_OVERS 0    /* an owner gives its lane back */
#endif
#ifndef REFUSALS
#define REFUSALS 0      /* the broker refuses a message; the second time, or for good, the row is abandoned */
#endif
#ifndef OUTAGES
#define OUTAGES 0       /* the broker does not answer: the message got there or not */
#endif
#ifndef LOST_ANSWERS
#define LOST_ANSWERS 0  /* a settlement was committed and its owner does not learn it */
#endif
#ifndef RETRIES
#define RETRIES 0       /* operator: `outbox retry` of a failed or abandoned row */
#endif
#ifndef DISCARDS
#define DISCARDS 0      /* operator: `outbox discard` of an open event */
#endif
#ifndef HAND_ROWS
#define HAND_ROWS 0     /* operator: a row is inserted for an event that may be old */
#endif
#ifndef PURGES
#define PURGES 0        /* an owner removes what was settled long ago */
#endif
#ifndef MERGES
#define MERGES 0        /* an owner makes one record of neighbours */
#endif
#ifndef LAZY_MARK
#define LAZY_MARK 0     /* 1: a settlement may leave the mark where it is */
#endif
#ifndef SPLIT
#define SPLIT 0         /* 1: the lane is replaced by two shards, one for each stream; 2: there are two from the start */
#endif
#ifndef BACKFILL
#define BACKFILL 0      /* 1: while writers run, the broker is to get what is in the log and was not meant for it */
#endif
#ifndef BACKFILL_AFTER
#define BACKFILL_AFTER 0    /* ... behind these numbers only: 0, 1, 3 */
#endif
#ifndef PAGE
#define PAGE 1          /* numbers of the log that a step of the backfill goes on: 1 or 2 */
#endif
#ifndef CANCELS
#define CANCELS 0       /* operator: the backfill is ended before its end */
#endif
#ifndef BROKER_FENCE
#define BROKER_FENCE 0  /* 1: the broker refuses an older epoch once it has seen a newer one */
#endif
#ifndef MEMORY
#define MEMORY 0        /* the broker recognises what is sent again: the last 1 to 4 messages; UNSETTLED: all that its lane
                           has not told it to be settled */
#endif
#define UNSETTLED 9

/* ---- faults that the check must find: one at a time -------------------------------------------------------------- */

#define SETTLE_WITHOUT_FENCE 1
#define MARK_PASSES_OPEN_ROW 2
#define MARK_PASSES_GAP 3
#define MARK_PASSES_BATCH_IN_FLIGHT 4
#define TAKEOVER_AT_POSITION 5
#define TAKEOVER_WITHOUT_LEDGER 6
#define HOLD_DROPPED_EARLY 7
#define LATE_ROW_IGNORES_HOLD 8
#define LATE_ROW_HANDED_OUT_TWICE 9
#define RETRY_WITHOUT_RESCAN 10
#define SETTLEMENT_UNDOES_RETRY 11
#define RECORD_WRITTEN_AGAIN 12
#define DISCARDED_ROW_STAYS 13
#define GAP_ENDS_BY_LATER_ANSWER 14
#define GAPS_BEFORE_ROWS 15
#define CATCH_UP_BEFORE_SETTLEMENT 16
#define FETCH_BEFORE_SETTLEMENT 17
#define HAND_OVER_IN_FLIGHT 18
#define SPLIT_AT_HIGHEST_MARK 19
#define SPLIT_KEEPS_FORMER_LEASE 20
#define DOUBT_COUNTS_AS_DELIVERED 21
#define NO_CEILING 22
#define CURSOR_PASSES_CEILING 23
#define CEILING_READ_LATER 24
#define BACKFILL_WITHOUT_WAITING 25
#define BACKFILL_LOOKS_BEFORE_WAITING 26
#define END_READ_AFTER_WRITERS 27
#define STEP_WITHOUT_FENCE 28
#define STEP_WITHOUT_LOCK 29
#define BACKFILL_OF_LISTED 30
#define BACKFILL_KEEPS_MARK 31
#define BACKFILL_WITHOUT_RESCAN 32
#define ROW_OF_LISTED 33
#define RETRY_KNOWN_BY_COUNT 34
#define PURGE_DECIDES_BEFORE_LOCK 35
#define PURGE_ABOVE_LOWEST_MARK 36
#define PURGE_KEEPS_FLOOR 37
#define MERGE_WITHOUT_FENCE 38
#define MERGE_FILLS_RANGE 39
#define HAND_ROW_KEEPS_MARK 40
#define HAND_ROW_CHECKED_BEFORE_LOCK 41
#ifndef BUG
#define BUG 0
#endif

#define ALL_NUMBERS ((1 << (WRITERS * COMMITS)) - 1)
#if SPLIT
#define LANES 3     /* the lane of the whole broker, and its two shards; each has a part of the ledger */
#else
#define LANES 1
#endif

/* ---- the database ------------------------------------------------------------------------------------------------ */

/* event_log */
byte drawn;         /* numbers that were drawn */
byte visible;       /* ... whose transaction has committed */
byte second;        /* ... that belong to the second of the two streams */
byte targets;       /* ... that were written with this broker's bit */
byte locked;        /* streams whose next position a running transaction has */
byte running;       /* transactions that run, each with a bit of its own */

/* the ledger and the rows of this broker */
byte listed;
byte position[LANES];   /* up to the highest number of each part's records */
byte row_failed;
byte row_pending;       /* reopened by an operator, or inserted by the backfill */
byte row_abandoned;
byte row_published;
byte floor;         /* what has neither record nor row at or below it counts as settled */

/* leases */
byte owner[LANES];      /* 0: free; NOBODY: the lane is not part of the layout */
byte epoch[LANES];
byte mark[LANES];
byte rescan[LANES];
#define NOBODY 99

/* outbox_backfill */
byte backfill;          /* its state */
byte backfill_at;       /* `position`: its pages up to here are done */
byte backfill_upto;
byte backfill_waits;    /* transactions that may have drawn a number up to there, and run yet */
bool leases_locked;     /* by its registration */
#define UNREGISTERED 0
#define RUNNING 1
#define OVER 2

#define stream_of(x)    (((x) & second) != 0)
#define stream(s)       ((s) * second + (1 - (s)) * (ALL_NUMBERS & ~second))
#define carried_by(l)   ((l) == 0 -> ALL_NUMBERS : stream((l) - 1))
#define rows            (row_failed | row_pending | row_abandoned | row_published)
#define below_floor     (floor & ~rows)
#define settled         (listed | row_published | row_abandoned | below_floor)

/* What the broker is to get: what was meant for it, and what the backfill is about, whether it has come there or not. */
#define in_backfill     (backfill_upto & ~BACKFILL_AFTER)
#define wanted          (visible & (targets | in_backfill | rows))
#define open            (wanted & ~(listed | row_published | row_abandoned | purged))
/* What the outbox shows as open. */
#define shown           (visible & (targets | rows) & ~settled)

/* ---- the broker -------------------------------------------------------------------------------------------------- */

byte accepted;          /* events that it has */
byte seen_epoch[LANES];
#if MEMORY == UNSETTLED
byte remembered;
#elif MEMORY
byte remembered[MEMORY];    /* the newest first */
#endif

/* ---- properties -------------------------------------------------------------------------------------------------- */

/* Each assertion begins with the name of its property, which is always false, so that a broken one shows its name. */
hidden byte order_within_a_stream;  /* an event reaches the broker after the earlier ones of its stream, unless these were
                                       given up */
hidden byte nothing_lost;           /* a lane that rests, and the end, leave nothing open */
hidden byte one_owner;              /* nobody else settles */
hidden byte listed_once;            /* no number is in two records */
hidden byte row_or_listed;          /* no event has a row and is listed */
hidden byte sum_closes;             /* committed = listed + rows + ahead of the mark: the mark passes nothing that is open */
hidden byte published_is_delivered; /* what counts as published is at the broker */
hidden byte retry_is_an_attempt;    /* a row that an operator reopened is not given up before it was sent again */
hidden byte hold_covers;            /* a row that is passed over is one that its stream's hold will read */
hidden byte delivered_once;         /* near-once: a broker that remembers takes nothing twice; without a reason nothing is sent
                                       twice */

/* What they need to know. */

byte gone_before;       /* events that later ones of their stream may overtake: abandoned or discarded once */
byte asked_again;       /* retried by an operator and not sent since */
byte purged;            /* settled, and the record or row is gone */

byte aborts = ABORTS, takeovers = TAKEOVERS, hand_overs = HAND_OVERS, refusals = REFUSALS, outages = OUTAGES;
byte lost_answers = LOST_ANSWERS, retries = RETRIES, discards = DISCARDS;
byte hand_rows = HAND_ROWS, purges = PURGES, merges = MERGES;
byte writers_left = WRITERS;

/* What holds after each transaction of the database. */
inline check_database() {
    assert(listed_once || (listed & purged) == 0);
    assert(row_or_listed || (listed & rows) == 0);
    assert(published_is_delivered || ((listed | row_published) & ~accepted) == 0);
    assert(retry_is_an_attempt || (row_abandoned & asked_again) == 0);
    assert(sum_closes || owner[0] == NOBODY || ((open | shown) & mark[0]) == 0);
#if SPLIT
    assert(sum_closes || owner[1] == NOBODY || ((open | shown) & carried_by(1) & mark[1]) == 0);
    assert(sum_closes || owner[2] == NOBODY || ((open | shown) & carried_by(2) & mark[2]) == 0);
#endif
}

/* Of a set of numbers one stays, whichever. */
inline pick(set) {
    do
    :: set & (set - 1) ->
        if
        :: set = lowest(set)
        :: set = set & ~lowest(set)
        fi
    :: else -> break
    od
}

/* ---- writers ----------------------------------------------------------------------------------------------------- */

proctype writer(byte me) {
    byte number, commits;
    bool which, bit_of_broker;
    do
    :: commits < COMMITS ->
        atomic {    /* the transaction begins, locks the stream, reads which brokers there are, and draws a number */
            /* Writers and streams are alike: the first of each begins. */
            if
            :: !(locked & 1) && (drawn || me == 0) -> which = 0
            :: !(locked & 2) && drawn -> which = 1
            fi;
            locked = locked | (1 << which);
            running = running | (1 << (me * COMMITS + commits));
            number = drawn + 1;
            drawn = drawn | number;
            if
            :: which -> second = second | number
            :: else
            fi;
            bit_of_broker = 1;
            if
            :: true
            :: (BACKFILL && backfill == UNREGISTERED) || HAND_ROWS -> bit_of_broker = 0    /* not meant for the broker */
            fi
        }
        atomic {    /* it commits, or it rolls back */
            if
            :: visible = visible | number;
                if
                :: bit_of_broker -> targets = targets | number
                :: else
                fi
            :: aborts > 0 -> aborts--
            fi;
            locked = locked & ~(1 << which);
            running = running & ~(1 << (me * COMMITS + commits));
            commits++;
            number = 0;
            which = 0;
            bit_of_broker = 0;
            check_database();
        }
    :: else -> break
    od;
    writers_left--;
}

/* ---- a lane ------------------------------------------------------------------------------------------------------ */

/* What it remembers goes with the lease. */
inline forget() {
    mine = 0; my_epoch = 0; my_rescan = 0;
    cursor = 0; high = 0; gaps = 0; gap_writers = 0; look_again = 0;
    ready = 0; ready_catches_up = 0; ready_complete = 0; ready_is_old = 0;
    flying = 0; unsent = 0; flying_catches_up = 0; flying_complete = 0; flying_is_old = 0; stopped = 0;
    with_row = 0;
    delivered = 0; failed = 0; given_up = 0; in_doubt = 0;
    to_list = 0; to_fail = 0; to_abandon = 0;
    hold[0] = 0; hold[1] = 0; travelling = 0;
#if MERGES
    merging = 0
#endif
}

#define is_fenced       (owner[lane] != me || epoch[lane] != my_epoch)
#define unsettled       (to_list | to_fail | to_abandon)
/* Nothing above it is handed out, and the cursor stays there, too. */
#define ceiling         (backfill == RUNNING -> backfill_at : ALL_NUMBERS)
#if BUG == NO_CEILING
#define end_of_rows     ALL_NUMBERS
#else
#define end_of_rows     ceiling
#endif
#if BUG == CURSOR_PASSES_CEILING
#define end_of_look     ALL_NUMBERS
#else
#define end_of_look     ceiling
#endif
#define my_rows         (visible & carried_by(lane) & (targets | rows))
#if BUG == TAKEOVER_WITHOUT_LEDGER
#define is_over         (row_published | row_abandoned | below_floor)
#else
#define is_over         settled
#endif

#if BUG == MARK_PASSES_OPEN_ROW
#define below_holds     ALL_NUMBERS
#else
#define below_holds     (below(hold[0]) & below(hold[1]))
#endif
#if BUG == MARK_PASSES_GAP
#define below_gaps      ALL_NUMBERS
#else
#define below_gaps      below(gaps)
#endif
#if BUG == MARK_PASSES_BATCH_IN_FLIGHT
#define below_batches   below(ready)
#else
#define below_batches   (below(flying) & below(ready))
#endif
#define low_water       (cursor & below_holds & below_gaps & below_batches)

/* An owner that finds nothing to do while nobody writes any more has nothing open. */
inline check_idle() {
    if
    :: mine && !is_fenced && !look_again && rescan[lane] == my_rescan && writers_left == 0 &&
       (ready | flying | unsettled | gaps | hold[0] | hold[1]) == 0 && (visible & ~cursor) == 0 ->
        assert(nothing_lost || ((open | shown) & carried_by(lane)) == 0)
    :: else
    fi
}

#if BUG == LATE_ROW_IGNORES_HOLD
#define LATE_ROWS_THAT_IGNORE_HOLDS late
#else
#define LATE_ROWS_THAT_IGNORE_HOLDS 0
#endif

/* The ready batch becomes the one in flight. Rows of held streams are passed over; a row that failed under an earlier
   owner puts its stream on hold. */
inline start() {
    if
    :: !ready_catches_up ->
        s = 0;
        do
        :: s < 2 ->
            if
            :: hold[s] ->
                assert(hold_covers || (ready & stream(s) & below(hold[s])) == 0 || (travelling & (1 << s)));
                ready = ready & ~(stream(s) & ~LATE_ROWS_THAT_IGNORE_HOLDS)
            :: !hold[s] && (ready & stream(s) & row_failed) ->
                hold[s] = lowest(ready & stream(s) & row_failed);
                ready = ready & ~(stream(s) & ~below(hold[s]));
                if
                :: ready & stream(s) -> travelling = travelling | (1 << s)
                :: else
                fi
            :: else
            fi;
            s++
        :: else -> break
        od;
        s = 0
    :: else
    fi;
    flying = ready; unsent = ready; flying_catches_up = ready_catches_up; flying_complete = ready_complete;
    flying_is_old = ready_is_old;
    ready = 0; ready_catches_up = 0; ready_complete = 0; ready_is_old = 0;
    late = 0
}

inline put_back_ready() {
    if
    :: ready && !ready_catches_up ->
        cursor = cursor & below(ready);
        s = 0;
        do
        :: s < 2 ->
            if
            :: hold[s] && (ready & stream(s) & below(hold[s])) ->
                hold[s] = lowest(ready & stream(s));
                travelling = travelling & ~(1 << s)
            :: else
            fi;
            s++
        :: else -> break
        od;
        s = 0
    :: ready && ready_catches_up -> travelling = travelling & ~(1 << (ready_catches_up - 1))
    :: else
    fi;
    ready = 0; ready_catches_up = 0; ready_complete = 0; ready_is_old = 0
}

/* Rows were reopened: what is under way is settled, then the lane begins again at the stored mark. */
inline begin_again() {
    put_back_ready();
    if
    :: flying | unsettled -> look_again = 1
    :: else ->
        look_again = 0;
        my_rescan = rescan[lane];
        cursor = mark[lane];
        hold[0] = 0; hold[1] = 0; travelling = 0
    fi
}

/* What is remembered of the rows that were read: which of these events have a row, and whether they were read before the
   backfill was registered. */
inline note_ready() {
    with_row = (with_row & (flying | unsettled)) | (ready & rows);
#if BUG == RETRY_KNOWN_BY_COUNT
    with_refusal = (with_refusal & (flying | unsettled)) | (ready & row_failed);
#endif
    ready_is_old = BACKFILL && backfill == UNREGISTERED && ready
}

/* One look at the log and the rows: one snapshot. */
inline fetch() {
#if BUG == GAPS_BEFORE_ROWS
    gaps = gaps & ~late;
#else
    late = gaps & visible;
    gaps = gaps & ~visible;
#endif
    late = late & cursor & my_rows & ~is_over;
#if BUG == CEILING_READ_LATER
    x = found & ~cursor & end_of_rows;
    found = 0; has_found = 0;
#else
    x = my_rows & ~cursor & ~is_over & end_of_rows;
#endif
    ready = lowest(x);
    if
    :: BATCH > 1 -> ready = ready | lowest(x & ~ready)
    :: else
    fi;
    x = 0;
    if
    :: ready && (BATCH == 1 || (ready & (ready - 1))) -> cursor = cursor | (upto(ready) & end_of_look)   /* a full batch */
    :: else -> cursor = cursor | (upto(visible) & end_of_look)
    fi;
    ready = ready | late;
    note_ready();
#if BUG != LATE_ROW_IGNORES_HOLD
    late = 0;
#endif
    if
    :: cursor & ~high & ~visible ->
        gaps = gaps | (cursor & ~high & ~visible);
        gap_writers = gap_writers | running
    :: else
    fi;
    high = high | cursor;
#if BUG != GAP_ENDS_BY_LATER_ANSWER && BUG != GAPS_BEFORE_ROWS
    if
    :: gaps == 0 || (gap_writers & running) == 0 -> gaps = 0; gap_writers = 0   /* whoever could fill them has ended */
    :: else
    fi
#endif
}

/* What the verdicts of a batch mean: at most one row of each stream was not delivered, and none after it was sent. */
inline conclude() {
    s = 0;
    do
    :: s < 2 ->
        if
        :: in_doubt & stream(s) ->
            if
            :: flying_catches_up -> hold[s] = in_doubt & stream(s)
            :: else ->
                cursor = cursor & below(in_doubt & stream(s));
                if
                :: hold[s] && (in_doubt & stream(s) & below(hold[s])) -> hold[s] = in_doubt & stream(s)
                :: else
                fi
            fi;
            travelling = travelling & ~(1 << s)
        :: failed & stream(s) -> hold[s] = failed & stream(s); travelling = travelling & ~(1 << s)
        :: given_up & stream(s) -> hold[s] = (given_up & stream(s)) << 1; travelling = travelling & ~(1 << s)
        :: !((in_doubt | failed | given_up) & stream(s)) ->
            if
            :: flying_catches_up == s + 1 ->
                travelling = travelling & ~(1 << s);
                if
                :: flying_complete || BUG == HOLD_DROPPED_EARLY -> hold[s] = 0
                :: else -> hold[s] = (upto(delivered) + 1)
                fi
            :: !flying_catches_up && (flying & stream(s)) && (travelling & (1 << s)) ->
                travelling = travelling & ~(1 << s)
            :: else
            fi
        fi;
        s++
    :: else -> break
    od;
    s = 0;
    flying = 0; flying_catches_up = 0; flying_complete = 0; flying_is_old = 0; stopped = 0;
    if
    :: in_doubt -> put_back_ready()
    :: else
    fi;
    in_doubt = 0;
    to_list = to_list | delivered; to_fail = failed; to_abandon = given_up;
    delivered = 0; failed = 0; given_up = 0
}

#if MEMORY == UNSETTLED
#define RECOGNISES(x) (remembered & (x))
#define REMEMBER(x) remembered = remembered | (x)
#elif MEMORY == 1
#define RECOGNISES(x) (remembered[0] == (x))
#define REMEMBER(x) remembered[0] = x
#elif MEMORY == 2
#define RECOGNISES(x) (remembered[0] == (x) || remembered[1] == (x))
#define REMEMBER(x) remembered[1] = remembered[0]; remembered[0] = x
#elif MEMORY == 3
#define RECOGNISES(x) (remembered[0] == (x) || remembered[1] == (x) || remembered[2] == (x))
#define REMEMBER(x) remembered[2] = remembered[1]; remembered[1] = remembered[0]; remembered[0] = x
#elif MEMORY == 4
#define RECOGNISES(x) (remembered[0] == (x) || remembered[1] == (x) || remembered[2] == (x) || remembered[3] == (x))
#define REMEMBER(x) remembered[3] = remembered[2]; remembered[2] = remembered[1]; remembered[1] = remembered[0]; remembered[0] = x
#endif

/* A message arrives. */
inline accept(x) {
    /* Order: each earlier event of its stream that concerns this broker is there, or was given up. */
    assert(order_within_a_stream || (below(x) & stream(stream_of(x)) & wanted & (flying_is_old -> targets : ALL_NUMBERS) &
                                     ~accepted & ~gone_before) == 0);
#if MEMORY
    if
    :: RECOGNISES(x)
    :: else ->
        assert(delivered_once || (accepted & (x)) == 0);
        REMEMBER(x)
    fi;
#else
    assert(delivered_once || TAKEOVERS + OUTAGES + LOST_ANSWERS > 0 || (accepted & (x)) == 0);
#endif
    accepted = accepted | (x);
    asked_again = asked_again & ~(x)
}

#if BUG == SETTLEMENT_UNDOES_RETRY
#define RETRIED_MEANWHILE 0
#elif BUG == RETRY_KNOWN_BY_COUNT
#define RETRIED_MEANWHILE (rescan[lane] != my_rescan -> with_refusal : 0)
#else
#define RETRIED_MEANWHILE (rescan[lane] != my_rescan -> ALL_NUMBERS : 0)
#endif

/* The fenced transaction: a record, the rows that deviate, the mark. What was delivered above the end of the part and had
   no row when it was read is listed, and a row that an operator made of it meanwhile goes; all else that was delivered
   gets a row. Sent again after a lost answer it asks where the part ends: what is listed by then is left alone. */
inline settle() {
#if BUG == RECORD_WRITTEN_AGAIN
    x = to_list & ~with_row;
#else
    x = to_list & ~with_row & ~position[lane];
#endif
    assert(listed_once || (listed & x) == 0);
    if
    :: BUG != DISCARDED_ROW_STAYS ->
        row_failed = row_failed & ~x; row_pending = row_pending & ~x; row_abandoned = row_abandoned & ~x
    :: else
    fi;
    listed = listed | x;
    position[lane] = position[lane] | upto(x);
#if BUG == ROW_OF_LISTED
    x = to_list & ~x;
#else
    x = to_list & ~listed & ~below_floor;
#endif
    row_failed = row_failed & ~x; row_pending = row_pending & ~x; row_abandoned = row_abandoned & ~x;
    row_published = row_published | x;
    x = settled | (row_pending & RETRIED_MEANWHILE);
    row_pending = row_pending & ~((to_fail | to_abandon) & ~x);
    row_failed = (row_failed & ~(to_abandon & ~x)) | (to_fail & ~x);
    row_abandoned = row_abandoned | (to_abandon & ~x);
    gone_before = gone_before | (to_abandon & ~x);
    x = 0;
    if
    :: rescan[lane] == my_rescan && (low_water & ~mark[lane]) -> mark[lane] = low_water
    :: LAZY_MARK && (to_list | to_fail | to_abandon)
    :: !LAZY_MARK && (rescan[lane] != my_rescan || (low_water & ~mark[lane]) == 0)
    fi
}

/* Not above the lowest mark of the broker's lanes. */
#if BUG == PURGE_ABOVE_LOWEST_MARK
#define lowest_mark     ALL_NUMBERS
#elif SPLIT
#define lowest_mark     ((owner[0] == NOBODY -> ALL_NUMBERS : mark[0]) & (owner[1] == NOBODY -> ALL_NUMBERS : mark[1]) & \
                         (owner[2] == NOBODY -> ALL_NUMBERS : mark[2]))
#else
#define lowest_mark     mark[0]
#endif
#define out_of_date     ((listed | row_published | row_abandoned) & carried_by(lane) & lowest_mark)
inline purge(doomed) {
    purged = purged | (doomed & (listed | row_published | row_abandoned));
    listed = listed & ~(doomed);
    row_published = row_published & ~(doomed);
    row_abandoned = row_abandoned & ~(doomed);
    row_pending = row_pending & ~(doomed);
    if
    :: BUG != PURGE_KEEPS_FLOOR -> floor = floor | upto(doomed)
    :: else
    fi;
    if
    :: (listed & carried_by(lane)) == 0 -> position[lane] = 0
    :: else
    fi
}

#if BUG == BACKFILL_LOOKS_BEFORE_WAITING
#define LOG_AT_STEP found
#else
#define LOG_AT_STEP visible
#endif

/* The page of the log that follows: an event that was not meant for the broker gets a row, unless it has one. */
inline find_page() {
    x = lowest(~backfill_at & backfill_upto);
    if
    :: PAGE > 1 -> x = x | lowest(~backfill_at & backfill_upto & ~x)
    :: else
    fi
}
inline fill_page(page) {
#if BUG == BACKFILL_OF_LISTED
    row_pending = row_pending | (page & LOG_AT_STEP & ~rows);
#else
    row_pending = row_pending | (page & LOG_AT_STEP & ~targets & ~listed & ~rows);
#endif
    assert(listed_once || (row_pending & purged) == 0);
    backfill_at = upto(page) | BACKFILL_AFTER | (page -> 0 : backfill_at);
    backfill = (backfill_upto & ~backfill_at -> RUNNING : OVER);
    check_database()
}

#if BUG == CEILING_READ_LATER
#define has_looked          has_found
#else
#define has_looked          true
#endif
#if BUG == BACKFILL_LOOKS_BEFORE_WAITING
#define has_looked_at_log   has_found
#else
#define has_looked_at_log   true
#endif

proctype engine(byte me; byte lane) {
    bool mine, look_again, ready_complete, flying_complete, ready_is_old, flying_is_old;
    byte my_epoch, my_rescan;
    byte cursor, high, gaps, gap_writers;
    byte ready, ready_catches_up, flying, unsent, flying_catches_up, stopped;
    byte delivered, failed, given_up, in_doubt;
    byte to_list, to_fail, to_abandon;
    byte hold[2], travelling;
    byte with_row;
#if BUG == RETRY_KNOWN_BY_COUNT
    byte with_refusal;
#endif
#if MERGES
    byte merging;
#endif
    byte s, x, late;
#if BUG == CEILING_READ_LATER || BUG == BACKFILL_LOOKS_BEFORE_WAITING || BUG == STEP_WITHOUT_LOCK || \
    BUG == PURGE_DECIDES_BEFORE_LOCK
    byte found;
    bool has_found;
#endif

end:
    do
    /* The lease: free, or taken from an owner that has not renewed it in time. */
    :: atomic {
        !mine && (lane > 0 || me == 1 || epoch[lane]) &&        /* engines are alike: the first one begins */
        (owner[lane] == 0 || (owner[lane] != me && owner[lane] != NOBODY && takeovers > 0)) && !leases_locked ->
        if
        :: owner[lane] -> takeovers--
        :: else
        fi;
        owner[lane] = me;
        epoch[lane]++;
        mine = 1;
        my_epoch = epoch[lane];
        my_rescan = rescan[lane];
        cursor = (BUG == TAKEOVER_AT_POSITION -> position[lane] : mark[lane]);
        high = cursor;
    }
    /* Rows behind the cursor, and late ones. */
    :: atomic {
        mine && !ready && !look_again && (READ_AHEAD || !flying) &&
        (!unsettled || BUG == FETCH_BEFORE_SETTLEMENT) &&
        (is_fenced || rescan[lane] != my_rescan || (visible & ~cursor & end_of_look) ||
         (my_rows & ~cursor & ~is_over & end_of_rows) || (gaps & visible) || (gaps && (gap_writers & running) == 0)) &&
        has_looked ->
        if
        :: is_fenced -> forget()
        :: !is_fenced && rescan[lane] != my_rescan -> begin_again()
        :: else ->
            fetch();
            if
            :: !READ_AHEAD -> start()
            :: else
            fi
        fi;
        check_idle()
    }
#if BUG == CEILING_READ_LATER
    :: d_step { mine && !has_found && !is_fenced -> found = my_rows & ~is_over; has_found = 1 }
#endif
#if BUG == GAP_ENDS_BY_LATER_ANSWER
    :: d_step { mine && gaps && (gap_writers & running) == 0 -> gaps = 0; gap_writers = 0 }
#endif
#if BUG == GAPS_BEFORE_ROWS
    :: d_step {
        mine && gaps && !ready && !flying ->
        late = gaps & visible;
        if
        :: late == 0 && (gap_writers & running) == 0 -> gaps = 0; gap_writers = 0
        :: else
        fi
    }
#endif
    /* A stream that was held is caught up: its open rows from where the hold begins up to the cursor. */
    :: atomic {
        mine && !ready && !look_again && (READ_AHEAD || !flying) &&
        (!unsettled || BUG == CATCH_UP_BEFORE_SETTLEMENT) &&
        ((hold[0] && !(travelling & 1)) || (hold[1] && !(travelling & 2))) ->
        if
        :: hold[0] && !(travelling & 1) -> s = 0
        :: hold[1] && !(travelling & 2) -> s = 1
        fi;
        if
        :: is_fenced -> forget(); s = 0
        :: !is_fenced && rescan[lane] != my_rescan -> s = 0; begin_again()
        :: else ->
            x = my_rows & ~is_over & stream(s) & cursor & ~below(hold[s]);
            if
            :: x == 0 -> hold[s] = 0
            :: else ->
                ready = lowest(x);
                if
                :: BATCH > 1 && (lowest(x & ~ready) & ~row_failed) -> ready = ready | lowest(x & ~ready)
                :: else
                fi;
                ready_catches_up = s + 1;
                ready_complete = (BATCH > 1 && ready == x && ready == lowest(x));
                travelling = travelling | (1 << s);
                if
                :: BUG != LATE_ROW_HANDED_OUT_TWICE -> gaps = gaps & ~ready
                :: else
                fi;
                note_ready();
                if
                :: !READ_AHEAD -> start()
                :: else
                fi
            fi;
            x = 0;
            s = 0
        fi;
        check_idle()
    }
    :: d_step { READ_AHEAD && mine && ready && !flying && !look_again -> start() }
    /* One message is sent and its verdict comes, or does not. */
    :: atomic {
        mine && unsent ->
        x = lowest(unsent);
        s = stream_of(x);
        unsent = unsent & ~x;
        if
        :: stopped & (1 << s)       /* not sent, read again later */
        :: !(stopped & (1 << s)) && BROKER_FENCE && seen_epoch[lane] > my_epoch -> forget()
        :: else ->
            if
            :: seen_epoch[lane] < my_epoch ->
                seen_epoch[lane] = my_epoch;
                if
                :: SPLIT && lane > 0 -> seen_epoch[0] = NOBODY      /* the lanes of former layouts are shut out */
                :: else
                fi
            :: else
            fi;
            if
            :: accept(x); delivered = delivered | x
            :: outages > 0 -> outages--; accept(x); in_doubt = in_doubt | x; stopped = stopped | (1 << s)
            :: outages > 0 -> outages--;
                if
                :: BUG == DOUBT_COUNTS_AS_DELIVERED -> delivered = delivered | x
                :: else -> in_doubt = in_doubt | x; stopped = stopped | (1 << s)
                fi
            :: refusals > 0 && !(row_failed & x) ->
                refusals--; asked_again = asked_again & ~x; failed = failed | x; stopped = stopped | (1 << s)
            :: refusals > 0 ->
                refusals--; asked_again = asked_again & ~x; given_up = given_up | x; stopped = stopped | (1 << s)
            fi
        fi;
        x = 0;
        s = 0;
        if
        :: !READ_AHEAD && flying && !unsent && !unsettled -> conclude()
        :: else
        fi
    }
    :: d_step { mine && flying && !unsent && (!unsettled || BUG == FETCH_BEFORE_SETTLEMENT) -> conclude() }
    :: atomic {
        mine && (unsettled || ((low_water & ~mark[lane]) && (is_fenced || rescan[lane] == my_rescan))) && !leases_locked ->
        if
        :: is_fenced && BUG != SETTLE_WITHOUT_FENCE -> forget()
        :: else ->
            assert(one_owner || !is_fenced);
            settle();
            check_database();
#if MEMORY == UNSETTLED
            remembered = remembered & ~to_list;
#endif
            if
            :: to_list | to_fail | to_abandon ->
                if
                :: lost_answers > 0 -> lost_answers--
                :: to_list = 0; to_fail = 0; to_abandon = 0; look_again = look_again && flying
                fi
            :: else
            fi
        fi;
        check_idle()
    }
#if BACKFILL
    /* Nothing is left to read up to the position of the backfill: its next page. */
#if BUG == BACKFILL_LOOKS_BEFORE_WAITING
    :: d_step { mine && !has_found && backfill == RUNNING -> found = visible; has_found = 1 }
#endif
#if BUG == STEP_WITHOUT_LOCK
    :: d_step {
        mine && !has_found && backfill == RUNNING && (visible & backfill_at & ~cursor) == 0 &&
        (backfill_waits & running) == 0 ->
        find_page();
        found = x;
        x = 0;
        has_found = 1
    }
    :: atomic {
        has_found && !leases_locked ->
        if
        :: is_fenced
        :: else -> fill_page(found)
        fi;
        found = 0;
        has_found = 0
    }
#else
    :: atomic {
        mine && backfill == RUNNING && (visible & backfill_at & ~cursor) == 0 && !leases_locked &&
        ((backfill_waits & running) == 0 || BUG == BACKFILL_WITHOUT_WAITING) && has_looked_at_log ->
        if
        :: is_fenced && BUG != STEP_WITHOUT_FENCE -> forget()
        :: else ->
            assert(one_owner || !is_fenced);
            find_page();
            fill_page(x);
            x = 0
        fi;
#if BUG == BACKFILL_LOOKS_BEFORE_WAITING
        found = 0;
        has_found = 0;
#endif
        check_idle()
    }
#endif
#endif
#if PURGES
    /* What was settled long ago goes: some of it, or all. */
#if BUG == PURGE_DECIDES_BEFORE_LOCK
    :: d_step { mine && purges > 0 && !found && out_of_date -> found = out_of_date }
#define OUT_OF_DATE found
#else
#define OUT_OF_DATE out_of_date
#endif
#if MERGES
#define is_merging  merging
#else
#define is_merging  false
#endif
    :: atomic {
        mine && purges > 0 && !unsettled && !is_merging && !leases_locked && OUT_OF_DATE ->
        purges--;
        if
        :: is_fenced -> forget()
        :: else ->
            x = OUT_OF_DATE;
            if
            :: true
            :: pick(x)
            fi;
            purge(x);
            x = 0;
            check_database()
        fi
#if BUG == PURGE_DECIDES_BEFORE_LOCK
        ; found = 0
#endif
    }
#endif
#if MERGES
    /* Records up to the mark are read, and then replaced by one, in another transaction. */
    :: d_step {
        mine && merges > 0 && !merging && !is_fenced ->
        x = listed & carried_by(lane) & mark[lane];
        if
        :: x & (x - 1) -> merges--; merging = x
        :: else
        fi;
        x = 0
    }
    :: atomic {
        merging && !leases_locked ->
        if
        :: is_fenced && BUG != MERGE_WITHOUT_FENCE
        :: else ->
            x = upto(merging) & ~below(merging) & carried_by(lane);
            listed = (listed & ~x) | (BUG == MERGE_FILLS_RANGE -> x : merging);
            check_database()
        fi;
        merging = 0;
        x = 0
    }
#endif
    /* A hand-over: the batch in hand is finished and settled, then the lease is free. */
    :: d_step {
        mine && hand_overs > 0 && !is_fenced && !leases_locked && ((flying | unsettled) == 0 || BUG == HAND_OVER_IN_FLIGHT) ->
        hand_overs--;
        owner[lane] = 0;
        if
        :: BUG != HAND_OVER_IN_FLIGHT || flying == 0 -> forget()
        :: else
        fi
    }
    od
}

/* ---- operators --------------------------------------------------------------------------------------------------- */

/* Whoever makes rows open again locks the leases of all lanes, and lets all of them begin again. */
inline begin_below(x) {
    i = 0;
    do
    :: i < LANES ->
        mark[i] = mark[i] & below(x);
        if
        :: BUG != RETRY_WITHOUT_RESCAN -> rescan[i]++
        :: else
        fi;
        i++
    :: else -> break
    od;
    i = 0
}

proctype operator() {
    byte x, i;
#if BUG == HAND_ROW_CHECKED_BEFORE_LOCK
    byte checked;
#endif
end:
    do
    :: atomic {
        retries > 0 && (row_failed | row_abandoned) && !leases_locked ->
        retries--;
        x = row_failed | row_abandoned;
        pick(x);
        row_failed = row_failed & ~x;
        row_abandoned = row_abandoned & ~x;
        row_pending = row_pending | x;
        asked_again = asked_again | x;
        begin_below(x);
        x = 0;
        check_database()
    }
#if HAND_ROWS
    /* A row that is inserted into the view: refused when the event is listed, or has one. */
#if BUG == HAND_ROW_CHECKED_BEFORE_LOCK
    :: atomic { hand_rows > 0 && !checked && (visible & ~listed & ~rows) ->
        checked = visible & ~listed & ~rows;
        pick(checked)
    }
#define NO_ROW_YET (checked & ~rows)
#else
#define NO_ROW_YET (visible & ~listed & ~rows)
#endif
    :: atomic {
        hand_rows > 0 && NO_ROW_YET && !leases_locked ->
        hand_rows--;
        x = NO_ROW_YET;
        pick(x);
        gone_before = gone_before | x;      /* its stream has gone on without it */
        accepted = accepted & ~(x & purged);
        purged = purged & ~x;
        row_pending = row_pending | x;
        if
        :: BUG == HAND_ROW_KEEPS_MARK -> rescan[0]++
        :: else -> begin_below(x)
        fi;
        x = 0;
        check_database()
    }
#endif
    :: atomic {
        discards > 0 && shown && !leases_locked ->
        discards--;
        x = shown;
        pick(x);
        row_failed = row_failed & ~x;
        row_pending = row_pending & ~x;
        asked_again = asked_again & ~x;
        row_abandoned = row_abandoned | x;
        gone_before = gone_before | x;
        i = 0;
        do
        :: i < LANES -> rescan[i]++; i++
        :: else -> break
        od;
        i = 0;
        x = 0;
        check_database()
    }
    od
}

/* ---- a change of the number of shards, and a new broker ---------------------------------------------------------- */

proctype layout() {
end:
    atomic {
        (owner[0] == 0 || takeovers > 0) && !leases_locked ->
        if
        :: owner[0] -> takeovers--
        :: else
        fi;
#if SPLIT
        if
        :: BUG == SPLIT_KEEPS_FORMER_LEASE
        :: else -> owner[0] = NOBODY
        fi;
        owner[1] = 0; owner[2] = 0;
        epoch[1] = epoch[0]; epoch[2] = epoch[0];
        mark[1] = (BUG == SPLIT_AT_HIGHEST_MARK -> position[0] : mark[0]);
        mark[2] = mark[1];
#endif
        check_database()
    }
}

/* ---- a backfill -------------------------------------------------------------------------------------------------- */

/* One transaction. It sees what was drawn, and who writes, at the moment when it asks. */
proctype backfiller() {
    byte last, i;
    atomic {
        !leases_locked ->
        leases_locked = 1;
#if BUG == END_READ_AFTER_WRITERS
        backfill_waits = running
#else
        last = drawn
#endif
    }
    atomic {
#if BUG == END_READ_AFTER_WRITERS
        last = drawn;
#else
        backfill_waits = running;
#endif
        backfill_upto = last;
        backfill_at = BACKFILL_AFTER;
        backfill = RUNNING;
        do
        :: i < LANES ->
            if
            :: BUG != BACKFILL_KEEPS_MARK -> mark[i] = mark[i] & BACKFILL_AFTER
            :: else
            fi;
            if
            :: BUG != BACKFILL_WITHOUT_RESCAN -> rescan[i]++
            :: else
            fi;
            i++
        :: else -> break
        od;
        i = 0; last = 0;
        leases_locked = 0;
        check_database()
    }
#if CANCELS
end:
    atomic {
        backfill == RUNNING ->
        backfill = OVER;
        backfill_upto = backfill_at;    /* the rest is not wanted any more */
        check_database()
    }
#endif
}

/* When nothing can happen any more, all that was committed is published or abandoned. */
proctype judge() {
    timeout ->
    assert(nothing_lost || writers_left == 0 && open == 0 && (!BACKFILL || backfill == OVER))
}

init {
    byte i;
    atomic {
#if SPLIT
        if
        :: SPLIT == 1 -> owner[1] = NOBODY; owner[2] = NOBODY
        :: else -> owner[0] = NOBODY
        fi;
#endif
        do
        :: i < WRITERS -> run writer(i); i++
        :: else -> break
        od;
        i = 0;
        do
        :: i < ENGINES -> run engine(i + 1, 0); i++
        :: else -> break
        od;
        i = 0;
        if
        :: SPLIT -> run engine(1, 1); run engine(2, 2)
        :: else
        fi;
        if
        :: SPLIT == 1 -> run layout()
        :: else
        fi;
        if
        :: RETRIES + DISCARDS + HAND_ROWS > 0 -> run operator()
        :: else
        fi;
        if
        :: BACKFILL -> run backfiller()
        :: else
        fi;
        run judge()
    }
}
