#pragma once

/// Pieces of SQL about backfills (see backfill.hpp).

/// Whether `f` is the one of the broker that has not ended.
#define SLUICE_OPEN_BACKFILL(f, broker) f ".target_broker = " broker " AND " f ".state IN ('running', 'paused')"

/// Whether an order is about the event `e`.
#define SLUICE_ORDERED(types, streams)                                             \
    "e.type = ANY (" types ") AND (" streams " = '{}' OR e.stream = ANY (" streams \
    ") OR "                                                                        \
    "e.stream_category = ANY (" streams "))"

/// Whether the broker neither has the event `e` nor gets it by itself.
#define SLUICE_UNKNOWN_TO(broker) \
    "e.targets & coalesce(" SLUICE_BIT(broker) ", 0) = 0 AND NOT EXISTS (SELECT FROM @outbox_row AS r WHERE " \
                                               "r.target_broker = " broker " AND r.seq = e.seq)"
