#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "operate/log_feed.hpp"
#include "operate/outbox_rows.hpp"
#include "operate/shown_lately.hpp"

namespace sluice::operate {

/// Outbox rows as they come, in the order of the log, and again when their state changes.
///
/// Thread safety: none.
class row_feed final : public log_feed {
public:
    /// False when no more rows are wanted.
    using reader = std::function<bool(const located_row&)>;

    /// @param filter  `limit`: how many of the rows that are there are given, and for changes of how many is looked
    row_feed(store::outbox_filter filter, reader give);

    [[nodiscard]] bool begin(std::vector<log_tail>& tails) override;
    [[nodiscard]] bool advance(log_tail& tail) override;

private:
    [[nodiscard]] std::vector<store::outbox_row> watched_rows(const log_tail& tail, store::sequence upto) const;
    [[nodiscard]] bool give_changes(const log_tail& tail);
    [[nodiscard]] bool give_new(log_tail& tail);
    shown_lately::news see(const log_tail& tail, const store::outbox_row& row);
    [[nodiscard]] bool give_wanted(const log_tail& tail, const store::outbox_row& row) const;

    store::outbox_filter filter_;
    reader give_;
    std::size_t watched_;
    std::map<std::string, shown_lately> shown_{};
};

}  // namespace sluice::operate
