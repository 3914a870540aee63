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
#define RETRIES 0       /* operator: `outbox retry` of an abandoned row */
#endif
#ifndef DISCARDS
#define DISCARDS 0      /* operator: `outbox discard` of an open row */
#endif
#ifndef SPLIT
#define SPLIT 0         /* 1: the lane is replaced by two shards, one for each stream */
#endif
#ifndef BACKFILL
#define BACKFILL 0      /* 1: the broker is added while writers run, and gets what was there before */
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
#define REUSED_RECORD 12
#define DISCARDED_ROW_STAYS 13
#define GAP_ENDS_BY_LATER_ANSWER 14
#define GAPS_BEFORE_ROWS 15
#define CATCH_UP_BEFORE_SETTLEMENT 16
#define FETCH_BEFORE_SETTLEMENT 17
#define HAND_OVER_IN_FLIGHT 18
#define SPLIT_AT_HIGHEST_MARK 19
#define SPLIT_KEEPS_FORMER_LEASE 20
#define BACKFILL_BESIDE_LIVE_ROWS 21
#define BACKFILL_WITHOUT_WAITING 22
#define DOUBT_COUNTS_AS_DELIVERED 23
#ifndef BUG
#define BUG 0
#endif

#define ALL_NUMBERS ((1 << (WRITERS * COMMITS)) - 1)
#define LANES (1 + 2 * SPLIT)       /* the lane of the whole broker, and its two shards */
#define PARTS (LANES + BACKFILL)    /* of the ledger */
#define BACKFILL_PART LANES

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
byte position[PARTS];   /* up to the highest number of each part's records */
byte row_failed;
byte row_pending;       /* reopened by an operator */
byte row_abandoned;
byte row_published;
#if BUG == REUSED_RECORD
byte keys[PARTS];       /* the ends of all records */
#endif

/* leases */
byte owner[LANES];      /* 0: free; NOBODY: the lane is not part of the layout */
byte epoch[LANES];
byte mark[PARTS];
byte rescan[LANES];
#define NOBODY 99

/* backfill */
byte backfill_state;    /* 0: the broker is unknown; 1: known, transactions of before still run; 2: it may begin */
byte backfill_upto;
byte backfill_waits;    /* transactions that may have written without the bit */

#define stream_of(x)    (((x) & second) != 0)
#define stream(s)       ((s) * second + (1 - (s)) * (ALL_NUMBERS & ~second))
#define carried_by(l)   ((l) == 0 -> ALL_NUMBERS : stream((l) - 1))
#define rows            (row_failed | row_pending | row_abandoned | row_published)
#define settled         (listed | row_published | row_abandoned)
#define in_backfill     (BACKFILL * (backfill_upto & ~targets))
#define wanted          (visible & (targets | in_backfill))
#define open            (wanted & ~settled)

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

byte aborts = ABORTS, takeovers = TAKEOVERS, hand_overs = HAND_OVERS, refusals = REFUSALS, outages = OUTAGES;
byte lost_answers = LOST_ANSWERS, retries = RETRIES, discards = DISCARDS;
byte writers_left = WRITERS;

/* What holds after each transaction of the database. */
inline check_database() {
    assert(row_or_listed || (listed & rows) == 0);
    assert(published_is_delivered || ((listed | row_published) & ~accepted) == 0);
    assert(retry_is_an_attempt || (row_abandoned & asked_again) == 0);
    assert(sum_closes || owner[0] == NOBODY || (open & (BACKFILL -> targets : ALL_NUMBERS) & mark[0]) == 0);
#if BACKFILL
    assert(sum_closes || backfill_state < 2 || (open & ~targets & mark[BACKFILL_PART]) == 0);
#endif
#if SPLIT
    assert(sum_closes || owner[1] == NOBODY || (open & carried_by(1) & mark[1]) == 0);
    assert(sum_closes || owner[2] == NOBODY || (open & carried_by(2) & mark[2]) == 0);
#endif
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
            bit_of_broker = !BACKFILL || backfill_state > 0;
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
    mine = 0; my_epoch = 0; my_rescan = 0; my_position = 0; walk = 0;
    cursor = 0; high = 0; gaps = 0; gap_writers = 0; look_again = 0;
    ready = 0; ready_catches_up = 0; ready_complete = 0;
    flying = 0; unsent = 0; flying_catches_up = 0; flying_complete = 0; stopped = 0;
    delivered = 0; failed = 0; given_up = 0; in_doubt = 0;
    to_list = 0; to_fail = 0; to_abandon = 0;
    hold[0] = 0; hold[1] = 0; travelling = 0;
}

#define is_fenced       (owner[lane] != me || epoch[lane] != my_epoch)
#define unsettled       (to_list | to_fail | to_abandon)
#define is_live         (walk == lane)
#if BACKFILL
#define of_this_walk    (is_live -> targets : in_backfill)
#define end_of_walk     (is_live -> ALL_NUMBERS : backfill_upto)
#else
#define of_this_walk    carried_by(lane)
#define end_of_walk     ALL_NUMBERS
#endif
#define my_rows         (visible & of_this_walk & (targets | in_backfill) & end_of_walk)
#if BUG == TAKEOVER_WITHOUT_LEDGER
#define is_over         (row_published | row_abandoned)
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
    :: mine && !is_fenced && is_live && !look_again && rescan[lane] == my_rescan && writers_left == 0 &&
       (ready | flying | unsettled | gaps | hold[0] | hold[1]) == 0 && (visible & ~cursor) == 0 ->
        assert(nothing_lost || (open & carried_by(lane)) == 0)
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
    ready = 0; ready_catches_up = 0; ready_complete = 0;
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
    ready = 0; ready_catches_up = 0; ready_complete = 0
}

/* Rows were reopened: what is under way is settled, then the lane begins again at the stored mark. */
inline begin_again() {
    put_back_ready();
    if
    :: flying | unsettled -> look_again = 1
    :: else ->
        look_again = 0;
        my_rescan = rescan[lane];
        cursor = mark[walk];
        hold[0] = 0; hold[1] = 0; travelling = 0
    fi
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
    ready = lowest(my_rows & ~cursor & ~is_over);
    if
    :: BATCH > 1 -> ready = ready | lowest(my_rows & ~cursor & ~is_over & ~ready)
    :: else
    fi;
    if
    :: ready && (BATCH == 1 || (ready & (ready - 1))) -> cursor = cursor | upto(ready)     /* a full batch */
    :: else -> cursor = cursor | (upto(visible) & end_of_walk)
    fi;
    ready = ready | late;
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
    flying = 0; flying_catches_up = 0; flying_complete = 0; stopped = 0;
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
    assert(order_within_a_stream || (below(x) & stream(stream_of(x)) & wanted & ~accepted & ~gone_before) == 0);
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
#else
#define RETRIED_MEANWHILE (rescan[lane] != my_rescan -> ALL_NUMBERS : 0)
#endif

/* The fenced transaction: a record, the rows that deviate, the mark. What was delivered above the position is listed, and
   a row that an operator made of it meanwhile goes; what was delivered at or below it becomes a row. Sent again after a
   lost answer it finds its own record, and changes nothing. */
inline settle() {
    x = to_list & ~my_position;
#if BUG == REUSED_RECORD
    x = to_list;
    if
    :: x == 0 || (keys[walk] & (cursor + 1))
    :: else ->
        keys[walk] = keys[walk] | (cursor + 1);
        row_failed = row_failed & ~x; row_pending = row_pending & ~x; row_abandoned = row_abandoned & ~x;
#else
    if
    :: x && position[walk] == my_position ->
        if
        :: BUG != DISCARDED_ROW_STAYS ->
            row_failed = row_failed & ~x; row_pending = row_pending & ~x; row_abandoned = row_abandoned & ~x
        :: else
        fi;
#endif
        assert(listed_once || (listed & x) == 0);
        listed = listed | x;
        position[walk] = position[walk] | upto(x)
#if BUG != REUSED_RECORD
    :: else
#endif
    fi;
#if BUG == REUSED_RECORD
    x = 0;
#else
    x = to_list & my_position;
    assert(row_or_listed || (listed & x) == 0);
    row_failed = row_failed & ~x; row_pending = row_pending & ~x; row_abandoned = row_abandoned & ~x;
    row_published = row_published | x;
#endif
    x = row_published | row_abandoned | (row_pending & RETRIED_MEANWHILE);
    assert(row_or_listed || (listed & (to_fail | to_abandon)) == 0);
    row_pending = row_pending & ~((to_fail | to_abandon) & ~x);
    row_failed = (row_failed & ~(to_abandon & ~x)) | (to_fail & ~x);
    row_abandoned = row_abandoned | (to_abandon & ~x);
    gone_before = gone_before | (to_abandon & ~x);
    x = 0;
    if
    :: rescan[lane] == my_rescan && (low_water & ~mark[walk]) -> mark[walk] = low_water
    :: else
    fi
}

proctype engine(byte me; byte lane) {
    bool mine, look_again, ready_complete, flying_complete;
    byte my_epoch, my_rescan, my_position, walk;
    byte cursor, high, gaps, gap_writers;
    byte ready, ready_catches_up, flying, unsent, flying_catches_up, stopped;
    byte delivered, failed, given_up, in_doubt;
    byte to_list, to_fail, to_abandon;
    byte hold[2], travelling;
    byte s, x, late;

end:
    do
    /* The lease: free, or taken from an owner that has not renewed it in time. */
    :: atomic {
        !mine && (lane > 0 || me == 1 || epoch[lane]) &&        /* engines are alike: the first one begins */
        (owner[lane] == 0 || (owner[lane] != me && owner[lane] != NOBODY && takeovers > 0)) &&
        (!BACKFILL || backfill_state == 2) ->
        if
        :: owner[lane] -> takeovers--
        :: else
        fi;
        owner[lane] = me;
        epoch[lane]++;
        mine = 1;
        my_epoch = epoch[lane];
        my_rescan = rescan[lane];
        walk = lane;
        if
        :: BACKFILL && BUG != BACKFILL_BESIDE_LIVE_ROWS && mark[PARTS - 1] != backfill_upto -> walk = PARTS - 1
        :: else
        fi;
        my_position = position[walk];
        cursor = (BUG == TAKEOVER_AT_POSITION -> position[walk] : mark[walk]);
        high = cursor;
    }
    /* Rows behind the cursor, and late ones. */
    :: atomic {
        mine && !ready && !look_again && (READ_AHEAD || !flying) &&
        (!unsettled || BUG == FETCH_BEFORE_SETTLEMENT) &&
        (is_fenced || rescan[lane] != my_rescan || (visible & ~cursor & end_of_walk) || (gaps & visible) ||
         (gaps && (gap_writers & running) == 0)) ->
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
        mine && (unsettled || (low_water & ~mark[walk])) ->
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
                :: to_list = 0; to_fail = 0; to_abandon = 0; my_position = position[walk]; look_again = look_again && flying
                fi
            :: else
            fi
        fi;
        check_idle()
    }
    /* After the last row of the backfill the live ones follow. */
    :: d_step {
        BACKFILL && mine && !is_live && !is_fenced && mark[walk] == end_of_walk &&
        (ready | flying | unsettled) == 0 ->
        walk = lane; my_position = position[walk]; cursor = mark[walk]; high = cursor;
        gaps = 0; gap_writers = 0; hold[0] = 0; hold[1] = 0; travelling = 0;
        check_idle()
    }
    /* A hand-over: the batch in hand is finished and settled, then the lease is free. */
    :: d_step {
        mine && hand_overs > 0 && !is_fenced && ((flying | unsettled) == 0 || BUG == HAND_OVER_IN_FLIGHT) ->
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

#define lane_of(x)  (SPLIT && owner[0] == NOBODY -> 1 + stream_of(x) : 0)

proctype operator() {
    byte x, i;
end:
    do
    :: atomic {
        retries > 0 && row_abandoned ->
        retries--;
        if
        :: x = lowest(row_abandoned)
        :: row_abandoned & (row_abandoned - 1) -> x = row_abandoned & ~lowest(row_abandoned); x = lowest(x)
        fi;
        row_abandoned = row_abandoned & ~x;
        row_pending = row_pending | x;
        asked_again = asked_again | x;
        mark[lane_of(x)] = mark[lane_of(x)] & below(x);
        if
        :: BUG != RETRY_WITHOUT_RESCAN -> rescan[lane_of(x)]++
        :: else
        fi;
        x = 0;
        check_database()
    }
    :: atomic {
        discards > 0 && open ->
        discards--;
        if
        :: x = lowest(open)
        :: open & (open - 1) -> x = open & ~lowest(open); x = lowest(x)
        fi;
        row_failed = row_failed & ~x;
        row_pending = row_pending & ~x;
        asked_again = asked_again & ~x;
        row_abandoned = row_abandoned | x;
        gone_before = gone_before | x;
        x = 0;
        check_database()
    }
    od
}

/* ---- a change of the number of shards, and a new broker ---------------------------------------------------------- */

proctype layout() {
end:
    atomic {
        owner[0] == 0 || takeovers > 0 ->
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

proctype partner() {
    atomic { backfill_state = 1; backfill_waits = running }
    atomic {
        (backfill_waits & running) == 0 || BUG == BACKFILL_WITHOUT_WAITING ->
        backfill_waits = 0;
        backfill_upto = upto(visible);
        backfill_state = 2
    }
}

/* When nothing can happen any more, all that was committed is published or abandoned. */
proctype judge() {
    timeout ->
    assert(nothing_lost || writers_left == 0 && open == 0 && (!BACKFILL || (visible & ~settled) == 0))
}

init {
    byte i;
    atomic {
#if SPLIT
        owner[1] = NOBODY; owner[2] = NOBODY;
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
        :: SPLIT -> run engine(1, 1); run engine(2, 2); run layout()
        :: else
        fi;
        if
        :: RETRIES + DISCARDS > 0 -> run operator()
        :: else
        fi;
        if
        :: BACKFILL -> run partner()
        :: else
        fi;
        run judge()
    }
}
