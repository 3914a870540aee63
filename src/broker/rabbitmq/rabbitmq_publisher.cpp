#include "broker/rabbitmq/rabbitmq_publisher.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include <fmt/format.h>

#include "broker/rabbitmq/close_reason.hpp"
#include "broker/rabbitmq/message_properties.hpp"
#include "broker/rabbitmq/topology.hpp"
#include "observe/log.hpp"

namespace sluice::broker::rabbitmq {
namespace {

using namespace std::chrono_literals;

/// A server that begins to block may still confirm what it had taken before.
constexpr duration patience_when_blocked = 200ms;
constexpr duration longest_farewell = 300ms;

[[nodiscard]] std::optional<refused> size_objection(const outgoing& message) {
    const auto refusal = [](std::string_view what, std::string code) {
        return refused{fmt::format("{} is longer than the {} bytes that AMQP allows", what, longest_short_text),
                       std::move(code), true};
    };
    if (message.message_id.size() > longest_short_text) return refusal("the message id", "message_id_too_long");
    if (message.content_type.size() > longest_short_text) return refusal("the content type", "content_type_too_long");
    constexpr std::size_t room_for_prefix = 16;
    const bool long_name = std::ranges::any_of(message.head, [](const envelope::header& each) {
        return each.name.size() > longest_short_text - room_for_prefix;
    });
    if (long_name) return refusal("the name of a header", "header_name_too_long");
    return std::nullopt;
}

[[nodiscard]] refused unroutable(const std::string& exchange) {
    return {.reason = fmt::format("NO_ROUTE: no queue is bound to exchange {} for this routing key; bind one",
                                  shown_reason(exchange)),
            .code = "NO_ROUTE",
            .stream_closed = true};
}

}  // namespace

rabbitmq_publisher::rabbitmq_publisher(std::shared_ptr<server> at)
    : link_{std::move(at), "sluice-publisher"},
      window_{{.messages = link_.at().options().window, .largest_message = link_.at().options().max_message_bytes}} {}

rabbitmq_publisher::~rabbitmq_publisher() {
    const auto in_use = link_.use();
    if (confirms_.open() == 0) link_.close(net::deadline{longest_farewell, &haste_});
}

std::vector<verdict> rabbitmq_publisher::publish(std::span<const outgoing> batch, const producer& /*from*/,
                                                 duration timeout) {
    if (batch.empty()) return {};
    const net::deadline until{timeout, &haste_};
    const auto in_use = link_.use();
    refresh(until);
    window_.begin(batch);
    any_delivered_ = false;
    std::optional<unreachable> trouble;
    for (bool again = true; again;) {
        again = false;
        try {
            run(until);
        } catch (const channel_closed& closed) {
            trouble = channel_failed(closed);
            again = !trouble;
        } catch (const outage& lost) {
            trouble = lose(lost);
        }
    }
    return window_.finish(trouble ? *trouble : reason_now());
}

/// Learns what happened since the last call. A connection that broke meanwhile took nothing with it but what was given
/// up before: the batch at hand begins on a new one.
void rabbitmq_publisher::refresh(const net::deadline& until) {
    connection* const on = link_.current();
    if (on == nullptr) return;
    try {
        static_cast<void>(on->pump());
        absorb(*on);
        require_confirmations(*on, until);
    } catch (const channel_closed& closed) {
        static_cast<void>(channel_failed(closed));
    } catch (const outage& lost) {
        static_cast<void>(lose(lost));
    }
}

/// A queue that changes its leader can lose what a channel has sent to it, and the channel then waits for ever. One
/// that answers has taken all that was sent before: what it still held goes with it, so nothing of it comes late.
/// @throws outage when there will be no confirmations
void rabbitmq_publisher::require_confirmations(connection& of, const net::deadline& until) {
    using std::chrono::steady_clock;
    if (!of.blocked_by().empty()) waiting_since_ = steady_clock::now();
    if (!has_waited_too_long()) return;
    if (!ask(of, until.or_sooner(link_.at().options().answer_timeout)).empty() || !has_waited_too_long()) return;
    const outage silence{fmt::format("the server answers, and confirms nothing of {} messages", confirms_.open())};
    observe::log(observe::level::warn, "rabbitmq.confirmations_missing", {{"reason", link_.named(silence).what()}});
    throw outage{silence};
}

bool rabbitmq_publisher::has_waited_too_long() const {
    const auto waits = std::chrono::steady_clock::now() - waiting_since_;
    return confirms_.open() > 0 && waits > link_.at().options().confirm_patience;
}

void rabbitmq_publisher::run(const net::deadline& until) {
    while (!window_.is_settled()) {
        connection& on = prepared(until);
        absorb(on);
        const bool blocked = !on.blocked_by().empty();
        if (!blocked) send_what_may_go(on);
        if (window_.is_settled()) return;
        if (!on.wait(blocked ? until.or_sooner(patience_when_blocked) : until)) return absorb(on);
    }
}

connection& rabbitmq_publisher::prepared(const net::deadline& until) {
    if (connection* const on = link_.current()) return *on;
    connection& on = link_.open(until);
    try {
        prepare_exchange(on, until);
        on.send(AMQP_CONFIRM_SELECT_METHOD, amqp_confirm_select_t{});
        on.answer(AMQP_CONFIRM_SELECT_OK_METHOD, until);
        return on;
    } catch (const outage& failure) {
        link_.drop();
        throw outage{failure.what()};  // nothing was sent: even a closed channel says nothing of a message
    }
}

void rabbitmq_publisher::send_what_may_go(connection& over) {
    while (const auto each = window_.next()) {
        if (auto no = write(*each, over)) window_.settle(each->number, *std::move(no));
    }
}

std::optional<refused> rabbitmq_publisher::write(const send_window::transmission& one, connection& over) {
    const outgoing& message = *one.message;
    if (auto no = size_objection(message)) return no;
    if (auto no = objection_to(message.stream); !no.empty()) return refused{std::move(no), "bad_stream", true};
    message_properties properties{message};
    const auto header = encode_properties(properties.get(), message.body.size(), over.frame_max());
    if (!header) {
        return refused{fmt::format("the headers of the message do not fit into a frame of {} bytes", over.frame_max()),
                       "headers_too_big", true};
    }
    const auto key = routing_key_of(message.stream);
    amqp_basic_publish_t what{};
    what.exchange = bytes_of(link_.at().options().exchange);
    what.routing_key = bytes_of(key);
    what.mandatory = 1;
    if (confirms_.open() == 0) waiting_since_ = std::chrono::steady_clock::now();
    over.publish(what, *header, message.body);
    confirms_.sent(one.number, message.message_id, key);
    return std::nullopt;
}

void rabbitmq_publisher::absorb(connection& from) {
    while (const event* const said = from.next()) take(*said);
}

void rabbitmq_publisher::take(const event& said) {
    if (said.is(AMQP_BASIC_ACK_METHOD)) {
        const auto& fields = said.what.as<amqp_basic_ack_t>();
        settle(fields.delivery_tag, fields.multiple != 0, true);
    } else if (said.is(AMQP_BASIC_NACK_METHOD)) {
        const auto& fields = said.what.as<amqp_basic_nack_t>();
        settle(fields.delivery_tag, fields.multiple != 0, false);
    } else if (said.is(AMQP_BASIC_RETURN_METHOD) && (said.properties->_flags & AMQP_BASIC_MESSAGE_ID_FLAG) != 0) {
        confirms_.returned(text_of(said.properties->message_id),
                           text_of(said.what.as<amqp_basic_return_t>().routing_key));
    }
}

void rabbitmq_publisher::settle(std::uint64_t tag, bool multiple, bool is_taken) {
    waiting_since_ = std::chrono::steady_clock::now();
    for (const auto& each : confirms_.settle(tag, multiple)) {
        if (!is_taken) {
            window_.settle(each.of,
                           unreachable{link_
                                           .named(outage{"the server does not take the message (nack): a queue is "
                                                         "full, or has too few members"})
                                           .what()});
        } else if (each.is_returned) {
            window_.settle(each.of, unroutable(link_.at().options().exchange));
        } else {
            any_delivered_ = true;
            window_.settle(each.of, delivered{std::to_string(each.tag)});
        }
    }
}

/// What the server had said before is still heard: confirmations, and why it hangs up.
unreachable rabbitmq_publisher::lose(const outage& trouble) {
    unreachable why{link_.named(trouble).what()};
    if (connection* const on = link_.current()) {
        try {
            absorb(*on);
        } catch (const outage& last_words) {
            why.reason = link_.named(last_words).what();
        }
    }
    link_.drop();
    confirms_.clear();
    window_.lost_connection(why);
    return why;
}

/// Nothing when what is on its way is to be sent again, one at a time, over a new connection.
std::optional<unreachable> rabbitmq_publisher::channel_failed(const channel_closed& why) {
    auto verdict = verdict_on_close(why.reply_code(), why.what());
    if (std::holds_alternative<unreachable>(verdict)) return lose(why);
    link_.drop();
    confirms_.clear();
    window_.failed_together(verdict);
    return std::nullopt;
}

unreachable rabbitmq_publisher::reason_now() {
    connection* const on = link_.current();
    if (on != nullptr && !on->blocked_by().empty()) return {link_.named(outage{on->blocked_by()}).what()};
    return {link_.named(outage{"no confirmation in time"}).what(), any_delivered_};
}

std::string rabbitmq_publisher::probe(duration timeout) {
    const net::deadline until{timeout, &haste_};
    const auto in_use = link_.use();
    refresh(until);
    try {
        const bool is_new = link_.current() == nullptr;
        connection& on = prepared(until);
        if (is_new) return {};  // it has just answered
        auto reason = on.blocked_by().empty() ? ask(on, until) : on.blocked_by();
        return reason.empty() ? reason : link_.named(outage{reason}).what();
    } catch (const outage& trouble) {
        return lose(trouble).reason;
    }
}

/// A server that is late keeps its connection: what is on its way over it must not be sent again.
std::string rabbitmq_publisher::ask(connection& whom, const net::deadline& until) {
    whom.send(AMQP_BASIC_QOS_METHOD, amqp_basic_qos_t{.prefetch_size = 0, .prefetch_count = 1, .global = 0});
    for (;;) {
        if (const event* const said = whom.next()) {
            if (said->is(AMQP_BASIC_QOS_OK_METHOD)) return {};
            take(*said);
        } else if (!whom.blocked_by().empty()) {
            return whom.blocked_by();
        } else if (!whom.wait(until)) {
            return "the server did not answer in time";
        }
    }
}

}  // namespace sluice::broker::rabbitmq
