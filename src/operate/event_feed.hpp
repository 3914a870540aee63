#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "operate/events.hpp"
#include "operate/log_feed.hpp"
#include "operate/shown_lately.hpp"

namespace sluice::operate {

/// Events as they come, in the order of the log.
///
/// Thread safety: none.
class event_feed final : public log_feed {
public:
    /// False when no more events are wanted.
    using reader = std::function<bool(const located_event&)>;

    /// @param filter  `limit`: how many of the events that are there are given, the newest, unless `newest_first` is
    ///                off: then all are, from the first on
    event_feed(store::event_filter filter, reader give) : filter_{std::move(filter)}, give_{std::move(give)} {}

    [[nodiscard]] bool begin(std::vector<log_tail>& tails) override;
    [[nodiscard]] bool advance(log_tail& tail) override;

private:
    /// Nothing is given twice.
    [[nodiscard]] bool give_new(const located_event& each);

    store::event_filter filter_;
    reader give_;
    std::map<std::string, shown_lately> shown_{};
};

}  // namespace sluice::operate
