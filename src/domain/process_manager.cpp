#include <sluice/process_manager.hpp>

#include <algorithm>

#include <sluice/error.hpp>

namespace sluice {

namespace {

constexpr std::size_t longest_timer_name = 100;

/// The name ends the id of the timer's message; without dots in it no two timers share an id.
bool is_timer_name(std::string_view name) {
    const auto allowed = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
    };
    return !name.empty() && name.size() <= longest_timer_name && std::all_of(name.begin(), name.end(), allowed);
}

}  // namespace

void process_root::cancel(std::string_view name) {
    if (const auto found = memory_.timers.find(name); found != memory_.timers.end()) memory_.timers.erase(found);
}

void process_root::arm(std::string_view name, duration from_now) {
    const duration most = duration::max() - duration{memory_.now.micros()};
    arm(name, memory_.now + std::min(from_now, most));
}

void process_root::arm(std::string_view name, date_time due) {
    if (!is_timer_name(name)) {
        throw usage_error{"a timer cannot be called `" + std::string{name.substr(0, longest_timer_name)} +
                          "`; use 1 to 100 letters, digits, `_` or `-`"};
    }
    violations broken;
    codec::detail::check_time(due, broken);
    if (!broken.empty()) {
        throw usage_error{"timer `" + std::string{name} + "` lies outside of the years 1 to 9999; set it earlier"};
    }
    memory_.timers.insert_or_assign(std::string{name}, detail::armed_timer{.id = {}, .due = due});
}

}  // namespace sluice
