#include "broker/nats/nats_reader.hpp"

#include <algorithm>
#include <charconv>

#include <poll.h>

namespace sluice::broker::nats {
namespace {

using namespace std::chrono_literals;

/// Of a lease that is given up at the end: without an answer others wait for the claim time.
constexpr duration farewell = 500ms;
/// How often is looked whether there is a stream now, or a pull that nobody hears of.
constexpr duration look_around = 1s;

}  // namespace

nats_reader::nats_reader(const std::shared_ptr<const server>& to, const std::vector<std::string>& streams,
                         const membership& member)
    : to_{to}, link_{to, "sluice-reader"}, claim_{member.claim} {
    for (std::size_t i = 0; i < streams.size(); ++i) {
        consumers_.emplace_back(streams[i], i, member, to_->options(),
                                [this](incoming message) { dispatch(std::move(message)); });
    }
}

nats_reader::~nats_reader() {
    session* const on = link_.current();
    if (on == nullptr) return;
    try {
        const net::deadline until{farewell};
        for (group_consumer& each : consumers_) each.release(*on, until);
    } catch (const std::exception&) {
        // The lease runs out by itself.
    }
}

/// Tokens of pulls are `m{index of the stream}-{number of the pull}`.
void nats_reader::dispatch(incoming message) {
    if (const auto mark = delivery_mark::parse(message.reply)) {
        const auto of = std::ranges::find(consumers_, mark->consumer, &group_consumer::durable);
        if (of != consumers_.end()) of->take(std::move(message), mark->sequence);
        return;
    }
    const std::string_view token = message.token;
    if (!token.starts_with('m')) return;
    std::size_t index = 0;
    const char* const end = token.data() + token.size();
    const auto read = std::from_chars(token.data() + 1, end, index);
    if (read.ec != std::errc{} || read.ptr == end || index >= consumers_.size()) return;
    consumers_[index].take_status(message, std::string_view{read.ptr + 1, end});
}

void nats_reader::take_what_came(session& on) {
    while (auto message = on.next()) dispatch(std::move(*message));
}

template <class Action>
auto nats_reader::over_session(Action action) {
    const auto until = link_.answer_deadline();
    session& on = link_.open(until);
    try {
        take_what_came(on);
        return action(on, until);
    } catch (const outage& trouble) {
        if (on.closed()) link_.drop();
        throw outage{"nats " + to_->location().name() + ": " + trouble.what()};
    } catch (const decode_error& strange) {
        throw outage{"nats " + to_->location().name() + ": an answer cannot be read: " + strange.what()};
    }
}

std::vector<delivery> nats_reader::read(std::size_t stream, std::size_t limit, date_time /*now*/) {
    if (limit == 0) return {};
    return over_session([&](session& on, const net::deadline& until) {
        return consumers_[stream].read(on, link_.generation(), limit, until);
    });
}

void nats_reader::ack(std::size_t stream, std::span<const std::string> entries) {
    if (entries.empty()) return;
    over_session([&](session& on, const net::deadline& until) { consumers_[stream].ack(on, entries, until); });
}

void nats_reader::heartbeat(date_time /*now*/) {
    over_session([&](session& on, const net::deadline& until) {
        for (group_consumer& each : consumers_) each.heartbeat(on, until);
    });
}

void nats_reader::release() {
    over_session([&](session& on, const net::deadline& until) {
        for (group_consumer& each : consumers_) each.release(on, until);
    });
}

bool nats_reader::has_some() const {
    return std::ranges::any_of(consumers_, [](const group_consumer& each) { return each.has_some(); });
}

base::wake_reason nats_reader::wait(base::wake_signal& signal, duration timeout) {
    const net::deadline end{timeout};
    try {
        return listen(signal, end);
    } catch (const outage&) {
        // Who reads next finds out.
        const auto reason = base::wait_any(signal, nullptr, std::min(end.left(), look_around));
        if (reason == base::wake_reason::timed_out && !end.passed()) return base::wake_reason::file_changed;
        return reason;
    }
}

base::wake_reason nats_reader::listen(base::wake_signal& signal, const net::deadline& end) {
    for (;;) {
        session* const on = link_.current();
        if (on == nullptr || on->closed()) throw outage{"the connection was lost"};
        take_what_came(*on);
        if (has_some()) return base::wake_reason::file_changed;
        bool is_anybody_idle = false;
        for (group_consumer& each : consumers_) {
            each.listen(*on, link_.generation());
            if (each.is_deaf()) {
                each.attach_again();
                return base::wake_reason::file_changed;
            }
            is_anybody_idle = is_anybody_idle || !each.is_reading();
        }
        // While another member reads, or no stream is there, only time can change that.
        const auto sleep = end.or_sooner(is_anybody_idle ? std::min(claim_ / 3, look_around) : look_around);
        const auto reason = net::wait_for_either(signal, on->fd(), POLLIN, sleep);
        if (reason == base::wake_reason::signalled) return reason;
        if (reason == base::wake_reason::file_changed) continue;
        if (end.passed()) return base::wake_reason::timed_out;
        if (is_anybody_idle) return base::wake_reason::file_changed;
    }
}

}  // namespace sluice::broker::nats
