#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>

#include "broker/kafka/group_places.hpp"
#include "broker/kafka/handles.hpp"
#include "broker/kafka/progress.hpp"

namespace sluice::broker::kafka {

/// A partition that a member of a group reads now.
struct share {
    std::size_t stream = 0;              ///< its index among those of the reader
    queue_handle queue{};                ///< of its messages alone
    std::deque<message_handle> early{};  ///< came before the queue was there
    std::optional<progress> done{};      ///< nothing: the library knows the place, and the first message will tell
    std::int64_t committed_floor = -1;
    std::size_t committed_behind = 0;
    bool is_leaving = false;      ///< nothing more is handed out
    bool has_lost_place = false;  ///< the place is none that the partition has

    [[nodiscard]] bool must_commit() const {
        return done && (done->floor() != committed_floor || done->done_behind().size() != committed_behind);
    }
    /// The next message; null when none is there yet.
    [[nodiscard]] message_handle next();
    [[nodiscard]] bool has_more() const;
    /// Lets the library write to `wake` when messages come.
    void open_queue(rd_kafka_t* instance, const topic_partition& at, int wake);
    /// Before it goes: the library must not write to `wake` any more.
    void close_queue() const;
};

using shares = std::map<topic_partition, share>;

}  // namespace sluice::broker::kafka
