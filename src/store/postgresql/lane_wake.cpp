#include "store/postgresql/lane_wake.hpp"

#include <poll.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <thread>
#include <utility>

#include "base/backoff.hpp"
#include "store/lane_name.hpp"

namespace sluice::store::postgresql {
namespace {

using namespace std::chrono_literals;

/// Between two looks at rows that are held back. What else happens is no reason to look sooner: under load it always
/// does.
constexpr base::backoff naps{.first = 1ms, .factor = 2, .most = 4ms};
constexpr base::backoff short_pauses{.first = 1ms, .factor = 2, .most = 100ms};
/// The lock of a broker is for one lane. When it is another shard's, and that one sleeps, this one is called as well.
constexpr base::backoff pauses_of_shards{.first = 1ms, .factor = 2, .most = 1s};

/// What others notify a broker's lanes of. `released` concerns those who stand by, anything else the owner.
constexpr std::string_view released = "released";

enum class event { signalled, socket, timed_out };

event poll_both(const wake_signal& signal, int socket, duration timeout) {
    std::array<pollfd, 2> both{
        {{.fd = signal.fd(), .events = POLLIN, .revents = 0}, {.fd = socket, .events = POLLIN, .revents = 0}}};
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(timeout);
    if (::poll(both.data(), both.size(), static_cast<int>(left.count())) <= 0) return event::timed_out;
    return both[0].revents != 0 ? event::signalled : event::socket;
}

}  // namespace

void lane_wake::disconnected() noexcept {
    listening_to_.clear();
    holding_.clear();
    stirred_ = false;
}

void lane_wake::get_up(exchange& trip) {
    if (holding_.empty() || !stirred_) return;
    trip.add(sql_.wake_up, parameters{std::exchange(holding_, {})});
    stirred_ = false;
}

void lane_wake::leave(exchange& trip) {
    stirred_ = true;
    get_up(trip);
    stirred_ = false;
}

void lane_wake::found_rows(connection& db) {
    pauses_ = 0;
    if (holding_.empty()) return;
    stirred_ = true;
    exchange trip{db};
    get_up(trip);
    trip.run();
}

wake_reason lane_wake::wait(connection& db, wake_signal& signal, duration timeout, const view& seen) {
    if (seen.held) {
        std::this_thread::sleep_for(std::min(naps.delay(++naps_), timeout));
        return wake_reason::file_changed;
    }
    naps_ = 0;
    constexpr duration longest = 24h;
    const auto end = std::chrono::steady_clock::now() + std::clamp(timeout, duration{0}, longest);
    const auto left = [end] { return std::chrono::ceil<duration>(end - std::chrono::steady_clock::now()); };

    const bool can_listen = listen_ && !db.pooled() && !seen.lane.empty();
    auto state = seen.unfinished ? rest::restless : rest::asleep;
    if (can_listen) {
        listen(db, seen);
        if (was_called(db, seen)) return wake_reason::file_changed;
        const auto found = lie_down(db, seen);
        if (found == rest::news) return wake_reason::file_changed;
        if (found == rest::restless) state = found;
    }
    for (;;) {
        const auto whole = std::max(left(), duration{0});
        const auto pause = state == rest::restless ? std::min(whole, next_pause(seen)) : whole;
        if (!can_listen) {
            const auto woken = base::wait_any(signal, nullptr, pause);
            return woken == wake_reason::timed_out && pause < whole ? wake_reason::file_changed : woken;
        }
        // A call that came together with the last answer has been read already: the socket will not tell of it again.
        if (was_called(db, seen)) return wake_reason::file_changed;
        switch (poll_both(signal, db.socket(), pause)) {
            case event::signalled:
                signal.drain();
                stirred_ = true;
                return wake_reason::signalled;
            case event::socket:
                db.read_pending();
                break;
            case event::timed_out:
                if (pause < whole) return wake_reason::file_changed;
                if (left() <= duration{0}) return wake_reason::timed_out;
                break;
        }
    }
}

void lane_wake::listen(connection& db, const view& seen) {
    if (listening_to_ == seen.broker && !listening_to_.empty()) return;
    exchange ask{db};
    const auto channel = ask.add(sql_.channel, parameters{seen.broker});
    ask.run();
    exchange trip{db};
    if (!listening_to_.empty()) trip.add({"", "UNLISTEN *"});
    trip.add({"", "LISTEN \"" + ask[channel].text(0, 0) + '"'});
    trip.run();
    listening_to_ = seen.broker;
}

/// While the lock is held, the look that the lane took before it came here was late enough.
lane_wake::rest lane_wake::lie_down(connection& db, const view& seen) {
    const bool has_looked_since = seen.mine && holding_ == seen.broker;
    if (has_looked_since) return rest::asleep;
    exchange trip{db};
    std::size_t lock = 0;
    if (seen.mine) {
        lock = trip.add(sql_.fall_asleep, parameters{seen.broker});
        trip.end();  // what is committed from here on is told to this session
    }
    const auto look = trip.add(sql_.look, parameters{seen.lane});
    trip.run();
    if (seen.mine && trip[lock].boolean(0, 0)) holding_ = seen.broker;
    if (has_news(trip[look], seen)) return rest::news;
    return seen.mine && holding_.empty() ? rest::restless : rest::asleep;
}

bool lane_wake::has_news(const result& look, const view& seen) {
    const bool same_owner =
        look.view(0, 1) == seen.owner && static_cast<std::uint64_t>(look.integer(0, 2)) == seen.epoch;
    if (!seen.mine) return !same_owner;
    return !same_owner || look.integer(0, 0) > seen.high ||
           static_cast<std::uint64_t>(look.integer(0, 3)) != seen.rescan;
}

bool lane_wake::was_called(connection& db, const view& seen) {
    bool called = false;
    while (const auto word = db.next_notification()) called = called || seen.mine || *word == released;
    stirred_ = stirred_ || called;
    return called;
}

duration lane_wake::next_pause(const view& seen) noexcept {
    const auto& pauses = shard_of(seen.lane).is_whole() ? short_pauses : pauses_of_shards;
    return pauses.delay(std::min(++pauses_, 16));
}

}  // namespace sluice::store::postgresql
