#pragma once

/// Whether the row `held` of pg_locks belongs to a transaction that writes, or has written, to the log: it holds this
/// lock from before it draws a number to its end.
#define SLUICE_WRITES_TO_LOG(held)                                                                \
    held ".locktype = 'relation' AND " held                                                       \
         ".database = (SELECT oid FROM pg_database WHERE datname = current_database()) AND " held \
         ".relation = '@event_log'::regclass AND " held ".mode = 'RowExclusiveLock'"
