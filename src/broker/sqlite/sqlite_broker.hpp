#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>

#include <sluice/time.hpp>

#include "broker/broker.hpp"
#include "sqlite/synchronous_mode.hpp"

namespace sluice::broker {

/// When a publish counts as safe.
using sqlite_synchronous = sluice::sqlite::synchronous_mode;

struct sqlite_broker_options {
    std::filesystem::path path{};
    sqlite_synchronous synchronous = sqlite_synchronous::full;
    duration busy_timeout{std::chrono::seconds{5}};  ///< how long to wait for another process's write
    std::size_t max_message_bytes =
        std::size_t{8} * 1024 * 1024;   ///< a larger body is refused for good (`message_too_big`)
    std::int64_t maxlen = 0;            ///< entries kept per stream; 0: decided by age alone
    std::chrono::hours retention{168};  ///< age from which an entry may go
    bool look_only = false;             ///< for people who look: a file that cannot be written is read
    const clock* time = nullptr;        ///< stamps entries and decides their age; null: `system_clock()`
};

/// The embedded durable broker: streams, consumer groups, pending messages and dead letters in one SQLite file (WAL)
/// that several processes share.
///
/// The file is made on first use, for its owner only, when its directory exists. While the directory is missing, or the
/// file is locked, damaged, read-only or gone, publishing answers `unreachable`, everything else throws `broker_error`
/// (retryable), and all connections come back by themselves. A file that was there and vanished is never made anew by
/// the same process: it may be put back.
///
/// Nothing that a group has not acknowledged is ever removed; a group exists from its first read. Beyond that, entries
/// go when they are older than `retention` or beyond `maxlen`. As long as an entry is kept, publishing its message
/// again is recognised.
///
/// A consumer name belongs to one living consumer object; two that share it get the same messages.
///
/// What consumers note (claims, acks, attempts) survives every process, but is not flushed for each step: after a power
/// failure the last messages may come again, none is lost.
[[nodiscard]] std::unique_ptr<broker> make_sqlite_broker(sqlite_broker_options options);

}  // namespace sluice::broker
