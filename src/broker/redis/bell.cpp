#include "broker/redis/bell.hpp"

#include <algorithm>

#include <poll.h>

#include "broker/redis/error_reply.hpp"

namespace sluice::broker::redis {
namespace {

/// So long may the server say nothing; then it is asked again, which finds out whether it is still there.
constexpr std::chrono::seconds block{5};

}  // namespace

base::wake_reason bell::wait(base::wake_signal& signal, duration timeout, places& where) {
    const net::deadline end{timeout};
    try {
        forget_other_question(where);
        return listen(signal, end, where);
    } catch (const outage&) {
        link_.drop();
        asked_ = false;
        return base::wait_any(signal, nullptr, end.left());
    }
}

base::wake_reason bell::listen(base::wake_signal& signal, const net::deadline& end, places& where) {
    for (;;) {
        auto& on = link_.open(end);
        if (!asked_) ask(on, where);
        if (const auto answer = on.receive_now()) {
            asked_ = false;
            if (rings(*answer, where)) return base::wake_reason::file_changed;
            continue;
        }
        const auto next = end.or_sooner(answer_due_.left());
        const auto reason = net::wait_for_either(signal, on.fd(), POLLIN, next);
        if (reason == base::wake_reason::signalled) return reason;
        if (reason == base::wake_reason::file_changed) continue;
        if (end.passed()) return base::wake_reason::timed_out;
        if (answer_due_.passed()) throw outage{"the server did not answer in time"};
    }
}

void bell::ask(connection& on, const places& where) {
    commands question;
    question.begin(6 + 2 * where.size()).part("XREAD").part("COUNT").part(1).part("BLOCK");
    question.part(std::chrono::milliseconds{block}.count()).part("STREAMS");
    for (const auto& each : where) question.part(each.key);
    for (const auto& each : where) question.part(each.seen.text());
    on.send(question, link_.answer_deadline());
    asked_ = true;
    asked_about_.clear();
    for (const auto& each : where) asked_about_.push_back(each.key);
    answer_due_ = net::deadline{block + link_.at().options().answer_timeout};
}

void bell::forget_other_question(const places& where) {
    if (!asked_ || std::ranges::equal(asked_about_, where, {}, {}, &place::key)) return;
    link_.drop();
    asked_ = false;
}

bool bell::rings(const reply& answer, places& where) {
    if (answer.is_error()) throw outage{first_clause(answer.text())};
    bool any = false;
    for (std::size_t i = 0; i < answer.size(); ++i) {
        const auto stream = answer[i];
        const auto id = entry_id::parse(stream[1][0][0].text());
        for (place& each : where) {
            // An answer to an earlier question may tell of what was read since.
            if (!id || stream[0].text() != each.key || *id <= each.seen) continue;
            each.seen = *id;
            any = true;
        }
    }
    return any;
}

}  // namespace sluice::broker::redis
