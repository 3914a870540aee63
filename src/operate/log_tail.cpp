#include "operate/log_tail.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/amounts.hpp"

namespace sluice::operate {

void log_tail::look() {
    if (end_ == nullptr) connect();
    const store::log_end end = end_->end_of_log();
    if (end.head < position_) {
        start_over(fmt::format("its log ends at number {} now, before {}", end.head, position_));
    }
    const store::sequence before = log_.settled();
    log_.looked(end);
    known_ = known_ || log_.settled() > 0 || log_.awaited().empty();
    if (log_.awaited().empty() || log_.settled() > before) {
        waiting_since_ = std::chrono::steady_clock::now();
        wait_told_ = false;
    }
}

void log_tail::connect() {
    auto session = database_->open_operations();
    auto end = database_->open_read_models();
    store::database_history history = database_->history();
    if (history_.identity.empty()) {
        waiting_since_ = std::chrono::steady_clock::now();
    } else {
        std::string difference = history.identity == history_.identity
                                     ? store::difference_between(history_.stamp, history.stamp)
                                     : "it is another database";
        if (!difference.empty()) start_over(std::move(difference));
    }
    history_ = std::move(history);
    session_ = std::move(session);
    end_ = std::move(end);
}

void log_tail::start_over(std::string why) {
    other_history_ = std::move(why);
    log_ = {};
    position_ = std::max<store::sequence>(0, position_ - looked_back);
}

bool log_tail::lost() {
    end_.reset();
    session_.reset();
    return !std::exchange(was_lost_, true);
}

bool log_tail::is_back() { return end_ != nullptr && std::exchange(was_lost_, false); }

std::string log_tail::other_history() { return std::exchange(other_history_, {}); }

std::string log_tail::long_wait(std::chrono::steady_clock::time_point now) {
    constexpr std::chrono::seconds usual_wait{5};
    if (wait_told_ || log_.awaited().empty() || now - waiting_since_ < usual_wait) return {};
    wait_told_ = true;
    std::string who;
    if (const auto writers = session_->open_writers(); !writers.empty()) {
        const store::open_writer& oldest = writers.front();
        who = fmt::format(" of process {} ({}{}{})", oldest.pid, oldest.application,
                          oldest.application.empty() ? "" : ", ", oldest.state);
        if (oldest.age) who += fmt::format(", open for {}", base::age_text(*oldest.age));
    }
    return fmt::format("database {} waits for the end of a transaction{}: it may still write an event below number {}",
                       name_, who, log_.head() + 1);
}

std::chrono::milliseconds log_tail::pause(std::chrono::steady_clock::time_point now) const {
    constexpr std::chrono::milliseconds usual{250};
    constexpr std::chrono::milliseconds short_one{20};
    constexpr std::chrono::seconds soon{1};
    return log_.awaited().empty() || now - waiting_since_ > soon ? usual : short_one;
}

}  // namespace sluice::operate
