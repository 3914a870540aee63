#pragma once

#include "store/postgresql/result.hpp"
#include "store/records.hpp"

namespace sluice::store::postgresql {

/// An open row with its event, from the columns that begin at `column`: seq, status, priority, retry_count,
/// next_retry_at, last_error, message_id, stream, stream_category, type, data, metadata, created_at.
[[nodiscard]] inline due_row read_due_row(const result& found, int row, int column) {
    return {.seq = found.integer(row, column),
            .status = row_status_from(found.view(row, column + 1)),
            .priority = static_cast<int>(found.integer(row, column + 2)),
            .retry_count = static_cast<int>(found.integer(row, column + 3)),
            .next_retry_at = found.optional_time(row, column + 4),
            .last_error = found.text(row, column + 5),
            .event = {.message_id = found.text(row, column + 6),
                      .stream = found.text(row, column + 7),
                      .stream_category = found.text(row, column + 8),
                      .type = found.text(row, column + 9),
                      .data = found.text(row, column + 10),
                      .metadata = found.text(row, column + 11),
                      .created_at = found.time(row, column + 12)}};
}

/// An event at its place in the log, from the columns of `event_columns`.
[[nodiscard]] inline stream_event read_stream_event(const result& found, int row) {
    return {.seq = found.integer(row, 0),
            .position = found.integer(row, 1),
            .event = {.message_id = found.text(row, 2),
                      .stream = found.text(row, 3),
                      .stream_category = found.text(row, 4),
                      .type = found.text(row, 5),
                      .data = found.text(row, 6),
                      .metadata = found.text(row, 7),
                      .created_at = found.time(row, 8)}};
}

}  // namespace sluice::store::postgresql
