#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include <sluice/time.hpp>

#include "store/records.hpp"

namespace sluice::outbox {

/// The streams of a lane that wait behind a refused row. Rows of a held stream are passed over; when its time has come
/// the stream is caught up from `from` on, and only then do its newer rows travel with the others again.
///
/// Memory: one entry per held stream; the lane stops looking for newer rows while there are too many. Pure.
///
/// Thread safety: none.
class stream_holds {
public:
    struct hold {
        store::sequence from = 0;        ///< the first row of the stream that may still be open
        instant due;                     ///< when to try again
        bool travelling = false;         ///< its rows are on their way to the broker: not due until their verdict
        store::sequence waited_for = 0;  ///< the failed row whose wait this was, or is; 0: none
    };

    /// Puts a stream on hold, or says anew from where and until when. It is not travelling then.
    void set(const std::string& stream, store::sequence from, instant due);
    /// The same, because a failed row waits for its next attempt. Once that is due, the time that is stored with the
    /// row has been waited for, whatever the calendar says by then.
    void wait(const std::string& stream, store::sequence row, instant due);
    /// Moves the hold to an earlier row, which is to be sent when it is due; the later ones have waited for nothing
    /// yet.
    void begin_earlier(const std::string& stream, store::sequence from, instant due);
    /// The stream's rows are being sent.
    void travel(std::string_view stream);
    void release(std::string_view stream);
    void clear() noexcept;

    [[nodiscard]] bool contains(std::string_view stream) const { return holds_.contains(stream); }
    [[nodiscard]] const hold* find(std::string_view stream) const;
    [[nodiscard]] std::size_t size() const noexcept { return holds_.size(); }
    [[nodiscard]] bool empty() const noexcept { return holds_.empty(); }

    /// The stream that has been due for longest and is not travelling.
    [[nodiscard]] std::optional<std::string> first_due(instant now) const;
    /// When the next stream will be due; nothing when all are travelling or none is held.
    [[nodiscard]] std::optional<instant> next_due() const;
    /// The lowest row that any held stream still needs: it holds down the low-water mark.
    [[nodiscard]] std::optional<store::sequence> lowest() const;

    /// What the indexes promise of the holds: asserted by the plan.
    [[nodiscard]] bool is_consistent() const;

private:
    using entry = std::map<std::string, hold, std::less<>>::iterator;
    void forget_indexes(entry at);

    std::map<std::string, hold, std::less<>> holds_;
    std::set<std::pair<instant, std::string>> by_due_;  ///< those that are not travelling
    std::multiset<store::sequence> froms_;
};

}  // namespace sluice::outbox
