#include <sluice/detail/raised_events.hpp>

#include <mutex>

namespace sluice::detail {

namespace {

struct raised_list {
    std::mutex mutex;
    std::map<std::string, std::string> by_event;
};

/// Made by the first that needs it: code is loaded in any order.
raised_list& list_of_raised() {
    static raised_list list;
    return list;
}

}  // namespace

raised_event::raised_event(std::string_view event, std::string_view aggregate) noexcept {
    raised_list& list = list_of_raised();
    const std::lock_guard lock{list.mutex};
    list.by_event.emplace(event, aggregate);
}

std::map<std::string, std::string> raised_events() {
    raised_list& list = list_of_raised();
    const std::lock_guard lock{list.mutex};
    return list.by_event;
}

}  // namespace sluice::detail
