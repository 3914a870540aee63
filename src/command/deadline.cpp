#include "command/deadline.hpp"

#include <algorithm>

#include <sluice/error.hpp>

namespace sluice::command {

date_time later_by(date_time from, duration time) noexcept {
    const duration left = duration::max() - std::max(from - date_time{}, duration{0});
    return time < left ? from + time : date_time{duration::max()};
}

latest_start earlier(const latest_start& one, const latest_start& other) noexcept {
    if (!one) return other;
    return other ? std::min(*one, *other) : *one;
}

latest_start deadline_in(const process_options& options, date_time now) noexcept {
    if (!options.timeout) return options.deadline;
    return earlier(options.deadline, later_by(now, std::max(*options.timeout, duration{0})));
}

latest_start deadline_of(const message& m) {
    const auto& text = m.metadata().headers.deadline;
    return text ? latest_start{date_time::parse(*text)} : std::nullopt;
}

void require_time_left(const std::string& command, const latest_start& until, date_time now) {
    if (!until || now < *until) return;
    throw deadline_error{command + " was to begin before " + until->to_string() + " and it is " + now.to_string() +
                         "; nothing was done, give it more time"};
}

}  // namespace sluice::command
