#include "broker/webhook/webhook_publisher.hpp"

#include <algorithm>
#include <cerrno>
#include <exception>
#include <iterator>
#include <utility>

#include <poll.h>

#include <fmt/format.h>

#include "base/one_line.hpp"
#include "broker/webhook/http_date.hpp"
#include "broker/webhook/retry_after.hpp"
#include "broker/webhook/status_verdict.hpp"
#include "net/outage.hpp"
#include "observe/log.hpp"

namespace sluice::broker::webhook {
namespace {

/// One message that a receiver cannot digest must not stop all others; an endpoint that fails for each must be left
/// alone.
constexpr int most_outages_in_a_row = 3;

/// The body goes behind the head in the same buffer: the message may not live as long as the request.
std::string whole_request(const outgoing& message, const request_terms& terms, date_time now) {
    std::string text = request_head(message, terms, now);
    text += message.body;
    return text;
}

}  // namespace

webhook_publisher::webhook_publisher(std::shared_ptr<dialer> endpoint, publisher_terms terms)
    : endpoint_{std::move(endpoint)},
      terms_{std::move(terms)},
      window_{send_limits{.messages = terms_.connections, .largest_message = terms_.max_message_bytes}} {
    connections_.reserve(terms_.connections);
}

std::vector<verdict> webhook_publisher::publish(std::span<const outgoing> batch, const producer& /*from*/,
                                                duration timeout) {
    const net::deadline until{timeout, &haste_};
    trouble_ = pause_reason();
    last_outage_.clear();
    outages_in_a_row_ = 0;
    has_delivered_ = false;
    window_.begin(batch);
    try {
        for (auto& each : connections_) each.is_ready = true;
        close_stale();
        exchange(until);
    } catch (const std::exception& failure) {  // out of memory, or no HMAC
        trouble_ = base::one_line(failure.what());
    }
    if (!trouble_.empty()) return window_.finish(unreachable{trouble_});
    return window_.finish(unreachable{
        .reason =
            last_outage_.empty() ? fmt::format("webhook {}: no answer in time", endpoint_->to().name()) : last_outage_,
        .answers = has_delivered_});
}

void webhook_publisher::exchange(const net::deadline& until) {
    while (!window_.is_settled()) {
        collect(until);
        if (trouble_.empty() && !until.passed()) start_requests(until);
        const bool is_over = !trouble_.empty() && window_.on_their_way() == 0;
        if (is_over || until.passed() || window_.is_settled()) return;
        wait(until);
    }
}

void webhook_publisher::start_requests(const net::deadline& until) {
    while (auto each = window_.next()) {
        if (auto no = why_not_sent(*each->message)) {
            window_.settle(each->number, *std::move(no));
            continue;
        }
        lane_of_requests* const on = free_connection(until);
        if (on == nullptr) return window_.take_back(each->number);
        on->message = each->number;
        on->was_repeated = false;
        on->is_ready = true;
        on->connection->begin(whole_request(*each->message, terms_.requests, terms_.time->now()),
                              net::deadline{terms_.answer_timeout});
        on->connection->advance();
    }
}

webhook_publisher::lane_of_requests* webhook_publisher::free_connection(const net::deadline& until) {
    for (;;) {
        // The one used last is the most likely to be open yet.
        const auto idle = std::find_if(connections_.rbegin(), connections_.rend(), [](const lane_of_requests& each) {
            return each.connection->now() == http_connection::state::idle;
        });
        if (idle == connections_.rend()) break;
        if (idle->connection->is_fresh()) return &*idle;
        connections_.erase(std::next(idle).base());
    }
    if (connections_.size() >= terms_.connections) return nullptr;
    return dial(until);
}

webhook_publisher::lane_of_requests* webhook_publisher::dial(const net::deadline& until) {
    try {
        connections_.push_back({.connection = std::make_unique<http_connection>(endpoint_->dial(until))});
        return &connections_.back();
    } catch (const net::outage& away) {
        trouble_ = away.what();
        return nullptr;
    }
}

/// Connections that idled for too long.
void webhook_publisher::close_stale() {
    std::erase_if(connections_, [](const lane_of_requests& each) {
        return each.connection->now() == http_connection::state::idle && !each.connection->is_fresh();
    });
}

void webhook_publisher::collect(const net::deadline& until) {
    for (auto& each : connections_) {
        if (!each.is_ready && !each.connection->deadline().passed()) continue;
        switch (each.connection->advance()) {
            case http_connection::state::answered:
                take_answer(each);
                break;
            case http_connection::state::lost:
                if (each.message != 0) take_loss(each, until);
                break;
            case http_connection::state::idle:
            case http_connection::state::under_way:
            case http_connection::state::draining:
                break;
        }
    }
    std::erase_if(connections_, [](const lane_of_requests& each) {
        return each.message == 0 && each.connection->now() == http_connection::state::lost;
    });
}

void webhook_publisher::take_answer(lane_of_requests& of) {
    const auto& answer = of.connection->answer();
    const verdict said =
        verdict_of(answer.head().status, answer.head().receipt, answer.words(), endpoint_->to().name());
    note_answer(answer.head(), said);
    window_.settle(std::exchange(of.message, 0), said);
    of.connection->finish();
}

void webhook_publisher::note_answer(const answer_head& head, const verdict& said) {
    compare_clocks(head);
    const auto* const outage = std::get_if<unreachable>(&said);
    if (outage == nullptr) {
        outages_in_a_row_ = 0;
        has_delivered_ = true;
        return;
    }
    last_outage_ = outage->reason;
    constexpr unsigned too_many_requests = 429;
    constexpr unsigned service_unavailable = 503;
    const bool is_for_all = meaning_of(head.status) == status_meaning::unwanted || head.status == too_many_requests ||
                            head.status == service_unavailable || ++outages_in_a_row_ >= most_outages_in_a_row;
    const auto asked = read_retry_after(head.retry_after, head.date, terms_.time->now());
    if (asked > duration{0}) pause_until_ = std::max(pause_until_, terms_.time->monotonic_now() + asked);
    if (is_for_all || asked > duration{0}) trouble_ = last_outage_;
}

/// A wrong clock makes every signature too old or too new; the receiver does not say that.
void webhook_publisher::compare_clocks(const answer_head& head) {
    if (told_of_clock_ || head.date.empty()) return;
    const auto now = terms_.time->now();
    const auto theirs = read_http_date(head.date, now);
    constexpr duration tolerated = std::chrono::minutes{2};
    if (!theirs || (*theirs - now < tolerated && now - *theirs < tolerated)) return;
    told_of_clock_ = true;
    observe::log(observe::level::warn, "webhook.clock_differs",
                 {{"endpoint", endpoint_->to().name()},
                  {"theirs", theirs->to_string()},
                  {"ours", now.to_string()},
                  {"reason", "receivers refuse what was signed more than five minutes ago"},
                  {"remedy", "set the clocks by NTP on both sides"}});
}

void webhook_publisher::take_loss(lane_of_requests& of, const net::deadline& until) {
    const auto number = std::exchange(of.message, 0);
    std::string why = fmt::format("webhook {}: {}", endpoint_->to().name(), of.connection->trouble());
    if (of.connection->is_stale() && !of.was_repeated && !until.passed()) {
        try {
            auto again = std::make_unique<http_connection>(endpoint_->dial(until));
            again->begin(of.connection->take_request(), net::deadline{terms_.answer_timeout});
            of = {.connection = std::move(again), .message = number, .was_repeated = true};
            return;
        } catch (const net::outage& away) {
            why = away.what();
        }
    }
    trouble_ = why;
    window_.settle(number, unreachable{std::move(why)});
}

void webhook_publisher::wait(const net::deadline& until) {
    std::vector<pollfd> sources;
    std::vector<lane_of_requests*> of;
    auto soonest = until;
    for (auto& each : connections_) {
        const auto now = each.connection->now();
        each.is_ready = now == http_connection::state::answered || now == http_connection::state::lost;
        if (each.is_ready) return;  // to be collected
        if (now == http_connection::state::idle) continue;
        sources.push_back({.fd = each.connection->fd(), .events = each.connection->wanted(), .revents = 0});
        of.push_back(&each);
        soonest = soonest.or_sooner(each.connection->deadline().left());
    }
    sources.push_back({.fd = haste_.fd(), .events = POLLIN, .revents = 0});  // a negative one is passed over
    if (::poll(sources.data(), sources.size(), soonest.poll_milliseconds()) < 0 && errno != EINTR) {
        throw net::outage{"poll failed"};
    }
    for (std::size_t i = 0; i < of.size(); ++i) of[i]->is_ready = sources[i].revents != 0;
}

std::string webhook_publisher::pause_reason() const {
    const auto now = terms_.time->monotonic_now();
    if (now >= pause_until_) return {};
    const auto left = std::chrono::ceil<std::chrono::seconds>(pause_until_ - now);
    return fmt::format("webhook {}: it asked to be left alone for {} s more", endpoint_->to().name(), left.count());
}

std::string webhook_publisher::probe(duration timeout) {
    if (auto pause = pause_reason(); !pause.empty()) return pause;
    const net::deadline until{timeout, &haste_};
    try {
        for (auto& each : connections_) each.is_ready = true;
        collect(until);
        close_stale();
        if (!connections_.empty()) return {};
        static_cast<void>(dial(until));
        return connections_.empty() ? trouble_ : std::string{};
    } catch (const std::exception& failure) {
        return base::one_line(failure.what());
    }
}

}  // namespace sluice::broker::webhook
