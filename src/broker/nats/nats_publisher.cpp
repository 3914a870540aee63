#include "broker/nats/nats_publisher.hpp"

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "base/backoff.hpp"
#include "broker/nats/publication.hpp"
#include "broker/partner_name.hpp"
#include "broker/reused_id.hpp"
#include "envelope/content.hpp"

namespace sluice::broker::nats {
namespace {

/// So many ids of one message may lead to others, or to what is gone.
constexpr int most_attempts = 4;
/// So often a stream may be there and not take a message. The server lists one a moment before it listens for it, and
/// a busy one takes its time.
constexpr int most_untaken = 6;
constexpr base::backoff untaken_pause{
    .first = std::chrono::milliseconds{5}, .factor = 4, .most = std::chrono::seconds{1}};
/// After this time a confirmation was lost, although its connection lives.
constexpr std::chrono::seconds latest_confirmation{30};
constexpr std::chrono::seconds longest_silence{1};
/// Answers that come one by one wake us no more often than this.
constexpr std::chrono::milliseconds longest_gathering{1};
constexpr std::size_t most_bytes_in_flight = std::size_t{4} << 20;

std::string token_for(send_window::ticket number, int attempt) { return fmt::format("p{}-{}", number, attempt); }

struct publish_token {
    send_window::ticket number = 0;
    int attempt = 0;

    static std::optional<publish_token> parse(std::string_view text) {
        if (!text.starts_with('p')) return std::nullopt;
        publish_token read;
        const char* const end = text.data() + text.size();
        const auto number = std::from_chars(text.data() + 1, end, read.number);
        if (number.ec != std::errc{} || number.ptr == end || *number.ptr != '-') return std::nullopt;
        const auto attempt = std::from_chars(number.ptr + 1, end, read.attempt);
        if (attempt.ec != std::errc{} || attempt.ptr != end) return std::nullopt;
        return read;
    }
};

}  // namespace

nats_publisher::nats_publisher(const std::shared_ptr<const server>& to)
    : link_{to, "sluice-publisher"},
      window_{{.messages = to->options().window,
               .bytes = most_bytes_in_flight,
               .largest_message = to->options().max_message_bytes}} {}

std::vector<verdict> nats_publisher::publish(std::span<const outgoing> batch, const producer& /*from*/,
                                             duration timeout) {
    const net::deadline until{timeout, &haste_};
    untaken_.clear();
    found_at_.clear();
    window_.begin(batch);
    std::string why;
    try {
        work(until);
    } catch (const outage& trouble) {
        why = trouble.what();
    }
    for (auto& [number, each] : flights_) each.message = nullptr;
    return window_.finish(unreachable{std::move(why)});
}

void nats_publisher::work(const net::deadline& until) {
    while (!window_.is_settled()) {
        session& on = connected(until);
        send_ready(on);
        if (window_.is_settled()) return;
        wait_for_answers(on, until);
        take_answers(on, until);
        ask_about_silence(on, until);
        stop_waiting_for_the_oldest();
    }
}

session& nats_publisher::connected(const net::deadline& until) {
    if (session* const was = link_.current(); was != nullptr && was->closed()) {
        const std::string why = *was->closed();
        take_answers(*was, until);
        lose_connection(why);
    }
    return link_.open(until);
}

void nats_publisher::lose_connection(const std::string& why) {
    link_.drop();
    flights_.clear();
    window_.lost_connection({fmt::format("the connection to NATS was lost: {}", why)});
}

void nats_publisher::send_ready(session& on) {
    const session::gathering together{on};
    while (const auto each = window_.next()) {
        try {
            transmit(on, each->number, *each->message, 0);
        } catch (const outage&) {
            window_.take_back(each->number);
            throw;
        }
    }
}

void nats_publisher::transmit(session& on, ticket number, const outgoing& message, int attempt) {
    const std::string server_id = attempt == 0 ? std::string{message.message_id} : other_server_id(message, attempt);
    auto made = publication_of(message, server_id, link_.to().options().expect_stream);
    if (auto* no = std::get_if<refused>(&made)) return settle(number, std::move(*no));
    const auto& ready = std::get<publication>(made);
    const std::size_t size = ready.head_bytes() + message.body.size();
    if (size > on.max_payload()) {
        return settle(number, refused{fmt::format("message {} has {} bytes with its headers; this server takes at most "
                                                  "{} (max_payload)",
                                                  message.message_id, size, on.max_payload()),
                                      "message_too_big", true});
    }
    on.send(ready.subject, token_for(number, attempt), message.body, ready.head);
    flights_[number] = {.message = &message, .attempt = attempt, .subject = ready.subject, .sent = clock_type::now()};
}

void nats_publisher::wait_for_answers(session& on, const net::deadline& until) {
    auto sooner = until;
    if (!flights_.empty()) {
        const flight& oldest = flights_.begin()->second;
        const auto patience = oldest.is_asked ? duration{latest_confirmation} : duration{longest_silence};
        const auto late = oldest.sent + patience - clock_type::now();
        sooner = until.or_sooner(std::chrono::duration_cast<duration>(late));
    }
    // The other half of the window keeps the server busy meanwhile.
    if (on.wait_for_several(flights_.size() / 2, longest_gathering, sooner) || !until.passed()) return;
    const std::string why = on.complaint();
    throw outage{"NATS did not confirm in time" + (why.empty() ? "" : ": " + why)};
}

void nats_publisher::take_answers(session& on, const net::deadline& until) {
    while (const auto answer = on.next()) take_answer(on, *answer, until);
}

void nats_publisher::take_answer(session& on, const incoming& answer, const net::deadline& until) {
    const auto which = publish_token::parse(answer.token);
    if (!which) return;
    const auto found = flights_.find(which->number);
    if (found == flights_.end() || found->second.attempt != which->attempt) return;
    const flight of = found->second;
    auto read = read_acknowledgement(answer);
    try {
        if (auto* said = std::get_if<verdict>(&read)) {
            settle(which->number, std::move(*said));
        } else if (const auto* in = std::get_if<kept>(&read); in == nullptr) {
            settle_untaken(on, which->number, of, until);
        } else if (in->is_duplicate) {
            look_at_duplicate(on, which->number, of, *in, until);
        } else {
            settle(which->number, delivered{in->receipt()});
        }
    } catch (const outage& trouble) {
        settle(which->number, unreachable{trouble.what()});
    }
}

void nats_publisher::settle(ticket number, verdict answer) {
    flights_.erase(number);
    window_.settle(number, std::move(answer));
}

void nats_publisher::look_at_duplicate(session& on, ticket number, const flight& of, const kept& first,
                                       const net::deadline& until) {
    if (of.message == nullptr) return settle(number, unreachable{"it is compared when it is sent again"});
    const outgoing& message = *of.message;
    const auto there = message_at(on, first.stream, first.sequence, until);
    const bool is_here = there && there->subject == partner_name(message.stream);
    if (is_here && envelope::are_copies(there->body, message.body)) return settle(number, delivered{first.receipt()});
    if (of.attempt == most_attempts) {
        return settle(number, unreachable{fmt::format("the server takes message {} for a duplicate of others",
                                                      message.message_id)});
    }
    if (is_here) tell_of_reused_id(message, first.receipt());
    transmit(on, number, message, of.attempt + 1);
}

void nats_publisher::settle_untaken(session& on, ticket number, const flight& of, const net::deadline& until) {
    if (of.message == nullptr) return settle(number, unreachable{"nobody took it"});
    const std::string subject = partner_name(of.message->stream);
    if (const auto known = untaken_.find(subject); known != untaken_.end()) return settle(number, known->second);
    auto& found_at = found_at_[subject];
    if (of.sent < found_at) return transmit_again(on, number, of, of.untaken);
    auto why = why_untaken(on, subject, until);
    if (!std::holds_alternative<delivered>(why)) {
        return settle(number, untaken_.emplace(subject, std::move(why)).first->second);
    }
    if (of.untaken == most_untaken) {
        return settle(number, unreachable{fmt::format("JetStream's stream of {} does not answer", subject)});
    }
    until.or_sooner(untaken_pause.delay(of.untaken + 1)).sleep();
    found_at = clock_type::now();
    transmit_again(on, number, of, of.untaken + 1);
}

void nats_publisher::transmit_again(session& on, ticket number, const flight& of, int untaken) {
    transmit(on, number, *of.message, of.attempt);
    if (const auto again = flights_.find(number); again != flights_.end()) again->second.untaken = untaken;
}

/// `delivered`: there is a stream now, which may be younger than our message.
verdict nats_publisher::why_untaken(session& on, const std::string& subject, const net::deadline& until) {
    const nats_options& options = link_.to().options();
    const auto streams = streams_taking(on, subject, until);
    if (!streams.empty()) return delivered{};
    if (!options.create_stream) {
        return refused{.reason = fmt::format("no stream of JetStream takes the subject {}; make one, or set "
                                             "create_stream = true",
                                             subject),
                       .code = "no_stream",
                       .stream_closed = true};
    }
    create_stream(on, {.subject = subject, .replicas = options.replicas, .duplicate_window = options.duplicate_window},
                  until);
    return delivered{};
}

void nats_publisher::ask_about_silence(session& on, const net::deadline& until) {
    const auto is_silent = [now = clock_type::now()](const auto& each) {
        return !each.second.is_asked && now - each.second.sent >= longest_silence;
    };
    const auto first = std::ranges::find_if(flights_, is_silent);
    if (first == flights_.end()) return;
    const std::string subject = first->second.subject;
    const bool is_taken = !streams_taking(on, subject, until).empty();
    std::vector<ticket> untaken;
    for (auto& each : flights_) {
        if (each.second.subject != subject || !is_silent(each)) continue;
        each.second.is_asked = true;
        if (!is_taken) untaken.push_back(each.first);
    }
    for (const ticket number : untaken) {
        const flight of = flights_.at(number);
        settle_untaken(on, number, of, until);
    }
}

void nats_publisher::stop_waiting_for_the_oldest() {
    const auto now = clock_type::now();
    while (!flights_.empty() && now - flights_.begin()->second.sent > latest_confirmation) {
        settle(flights_.begin()->first, unreachable{"the confirmation was lost; it is sent again"});
    }
}

std::string nats_publisher::probe(duration timeout) {
    const net::deadline until{timeout, &haste_};
    try {
        session& on = connected(until);
        static_cast<void>(ask_well(on, "INFO", nullptr, until));
        take_answers(on, until);
        return {};
    } catch (const outage& trouble) {
        return trouble.what();
    }
}

}  // namespace sluice::broker::nats
