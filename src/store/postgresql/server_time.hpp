#pragma once

/// SQL: what turns a time of ours into one of the server. `now` is the parameter with our time of this moment, or NULL
/// where that is the time which counts. Times of several machines are only compared when the server's clock has made
/// them, or when they were turned so: then nobody's age depends on who looks at it.
///
/// In whole seconds, so a time that was turned is still known as the writer's own by its fraction of a second, and
/// machines whose clocks agree write what they mean. Stable within a statement, so an index serves the comparison.
#define SLUICE_SHIFT(now)                                                    \
    "(CASE WHEN " now                                                        \
    "::timestamptz IS NULL THEN interval '0' ELSE round(extract(epoch FROM " \
    "statement_timestamp() - " now "::timestamptz)) * interval '1 second' END)"

/// Whether a stored time is one of ours that was turned.
#define SLUICE_IS_OURS(stored, ours)                                                                       \
    "extract(epoch FROM " stored " - " ours "::timestamptz) = round(extract(epoch FROM " stored " - " ours \
    "::timestamptz))"
