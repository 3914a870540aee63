#include "broker/rabbitmq/rabbitmq_reader.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include <fmt/format.h>
#include <sluice/error.hpp>

#include "broker/rabbitmq/close_reason.hpp"
#include "broker/rabbitmq/delivery_tag.hpp"
#include "broker/rabbitmq/message_properties.hpp"
#include "broker/rabbitmq/topology.hpp"
#include "observe/log.hpp"

namespace sluice::broker::rabbitmq {
namespace {

using namespace std::chrono_literals;

constexpr duration farewell = 1s;
/// A queue that was deleted and made anew by somebody else is found by looking.
constexpr std::chrono::seconds look_at_queues_every{60};

[[nodiscard]] std::string consumer_of(std::size_t place) { return fmt::format("stream-{}", place); }

}  // namespace

rabbitmq_reader::rabbitmq_reader(std::shared_ptr<server> at, const std::vector<std::string>& streams, membership member)
    : link_{std::move(at), fmt::format("sluice-reader {}", member.group)}, member_{std::move(member)} {
    for (const auto& stream : streams) {
        if (const auto no = objection_to(stream); !no.empty()) throw usage_error{"rabbitmq: " + no};
        places_.push_back({.stream = stream, .queue = queue_of(member_.group, stream)});
        if (places_.back().queue.size() > longest_short_text) {
            throw usage_error{fmt::format("rabbitmq: the name of queue {} is longer than {} bytes",
                                          shown_reason(places_.back().queue), longest_short_text)};
        }
    }
}

rabbitmq_reader::~rabbitmq_reader() {
    const auto in_use = link_.use();
    link_.close(net::deadline{farewell});
}

connection& rabbitmq_reader::open() {
    if (connection* const on = link_.current()) return *on;
    const auto until = link_.answer_deadline();
    if (!is_settled_in_) refuse_to_leave_former_group();
    connection& on = link_.open(until);
    ++generation_;
    try {
        subscribe(on, until);
    } catch (const outage&) {
        link_.drop();
        throw;
    }
    is_settled_in_ = true;
    return on;
}

void rabbitmq_reader::subscribe(connection& over, const net::deadline& until) {
    prepare_exchange(over, until);
    for (const auto& each : places_) prepare_queue(over, each.queue, each.stream, until);
    const auto most = std::min<std::size_t>(link_.at().options().prefetch, std::numeric_limits<std::uint16_t>::max());
    over.send(AMQP_BASIC_QOS_METHOD,
              amqp_basic_qos_t{.prefetch_size = 0, .prefetch_count = static_cast<std::uint16_t>(most), .global = 0});
    over.answer(AMQP_BASIC_QOS_OK_METHOD, until);
    for (std::size_t i = 0; i < places_.size(); ++i) {
        const auto tag = consumer_of(i);
        over.send(AMQP_BASIC_CONSUME_METHOD, amqp_basic_consume_t{.ticket = 0,
                                                                  .queue = bytes_of(places_[i].queue),
                                                                  .consumer_tag = bytes_of(tag),
                                                                  .no_local = 0,
                                                                  .no_ack = 0,
                                                                  .exclusive = 0,
                                                                  .nowait = 0,
                                                                  .arguments = {}});
        over.answer(AMQP_BASIC_CONSUME_OK_METHOD, until, [this](event& said) { take(said); });
    }
    looked_ = std::chrono::steady_clock::now();
}

/// A queue cannot be renamed. To read an empty new one while the old one fills up would lose all that is in it.
void rabbitmq_reader::refuse_to_leave_former_group() {
    if (member_.former_group.empty() || member_.former_group == member_.group) return;
    const auto exists = [this](const std::string& queue) {
        link once = link_.another("sluice-check");
        const auto until = link_.answer_deadline();
        try {
            static_cast<void>(look_at_queue(once.open(until), queue, until));
            return true;
        } catch (const channel_closed& closed) {
            if (closed.reply_code() == AMQP_NOT_FOUND) return false;
            throw;
        }
    };
    for (const auto& each : places_) {
        const auto former = queue_of(member_.former_group, each.stream);
        if (!exists(former) || exists(each.queue)) continue;
        throw outage{fmt::format(
            "group {} was called {} before, and a queue cannot be renamed; stop publishing, make queue {}, move the "
            "messages of queue {} there (shovel), delete that one, and start again",
            member_.group, member_.former_group, each.queue, former)};
    }
}

std::vector<delivery> rabbitmq_reader::read(std::size_t stream, std::size_t limit, date_time /*now*/) {
    const auto in_use = link_.use();
    place& from = places_[stream];
    try {
        connection& on = open();
        static_cast<void>(on.pump());
        absorb(on);
        look_after_queues(on);
    } catch (const outage& trouble) {
        lose(trouble);
        throw link_.named(trouble);
    }
    std::vector<delivery> found;
    std::size_t bytes = 0;
    while (found.size() < limit && !from.arrived.empty()) {
        auto& next = from.arrived.front();
        bytes += next.body.size();
        if (member_.page_bytes != 0 && !found.empty() && bytes > member_.page_bytes) break;
        found.push_back(std::move(next));
        from.arrived.pop_front();
    }
    return found;
}

void rabbitmq_reader::absorb(connection& from) {
    while (event* const said = from.next()) take(*said);
}

void rabbitmq_reader::take(event& said) {
    if (said.is(AMQP_BASIC_CANCEL_METHOD)) {
        throw outage{fmt::format("the server has ended the consumer {}: its queue was deleted, or moved",
                                 shown_reason(text_of(said.what.as<amqp_basic_cancel_t>().consumer_tag)))};
    }
    if (!said.is(AMQP_BASIC_DELIVER_METHOD)) return;
    const auto& fields = said.what.as<amqp_basic_deliver_t>();
    for (std::size_t i = 0; i < places_.size(); ++i) {
        if (text_of(fields.consumer_tag) != consumer_of(i)) continue;
        auto headers = headers_of(said.properties);
        open_.came(fields.delivery_tag, i);
        places_[i].arrived.push_back(
            {.entry = delivery_tag{.generation = generation_, .number = fields.delivery_tag}.text(),
             .stream = places_[i].stream,
             .body = std::move(said.body),
             .key = std::move(headers.key),
             .head = std::move(headers.head),
             .content_type = std::move(headers.content_type)});
        return;
    }
}

/// Asks without waiting: a queue that is gone closes the channel.
void rabbitmq_reader::look_after_queues(connection& over) {
    const auto now = std::chrono::steady_clock::now();
    if (now - looked_ < look_at_queues_every) return;
    looked_ = now;
    for (const auto& each : places_) {
        over.send(AMQP_QUEUE_DECLARE_METHOD, amqp_queue_declare_t{.ticket = 0,
                                                                  .queue = bytes_of(each.queue),
                                                                  .passive = 1,
                                                                  .durable = 0,
                                                                  .exclusive = 0,
                                                                  .auto_delete = 0,
                                                                  .nowait = 0,
                                                                  .arguments = {}});
    }
}

bool rabbitmq_reader::has_news() const noexcept {
    return std::ranges::any_of(places_, [](const place& each) { return !each.arrived.empty(); });
}

base::wake_reason rabbitmq_reader::wait(base::wake_signal& signal, duration timeout) {
    const auto in_use = link_.use();
    connection* const on = link_.current();
    if (on == nullptr) return base::wait_any(signal, nullptr, timeout);
    try {
        return listen(*on, signal, net::deadline{timeout});
    } catch (const outage& trouble) {
        lose(trouble);
        return base::wake_reason::file_changed;  // whoever reads next finds out
    }
}

base::wake_reason rabbitmq_reader::listen(connection& on, base::wake_signal& signal, const net::deadline& end) {
    for (;;) {
        const bool any = on.pump();
        absorb(on);
        if (has_news()) return base::wake_reason::file_changed;
        // While a large message comes in pieces, the signal is still seen.
        const auto step = end.or_sooner(any ? duration{0} : on.longest_sleep());
        const auto reason = net::wait_for_either(signal, on.fd(), on.wanted(), step);
        if (reason == base::wake_reason::signalled) return reason;
        if (reason == base::wake_reason::timed_out && end.passed()) return reason;
    }
}

void rabbitmq_reader::heartbeat(date_time /*now*/) {
    const auto in_use = link_.use();
    connection* const on = link_.current();
    if (on == nullptr) return;
    try {
        static_cast<void>(on->pump());
        absorb(*on);
    } catch (const outage& trouble) {
        lose(trouble);
    }
}

void rabbitmq_reader::release() {
    const auto in_use = link_.use();
    link_.close(net::deadline{farewell});
    forget();
}

void rabbitmq_reader::ack(std::size_t stream, std::span<const std::string> entries) {
    const auto in_use = link_.use();
    connection* const on = link_.current();
    std::vector<std::uint64_t> tags;
    for (const auto& entry : entries) {
        const auto tag = delivery_tag::parse(entry);
        if (!tag) {
            throw usage_error{
                fmt::format("rabbitmq: {} is no entry of queue {}", shown_reason(entry), places_[stream].queue)};
        }
        if (tag->generation == generation_) tags.push_back(tag->number);
    }
    const auto to_say = open_.settle(stream, tags);
    if (to_say.empty() || on == nullptr) return;
    try {
        for (const auto& each : to_say) {
            on->send(AMQP_BASIC_ACK_METHOD,
                     amqp_basic_ack_t{.delivery_tag = each.tag, .multiple = each.multiple ? 1 : 0});
        }
        static_cast<void>(on->pump());
    } catch (const outage& trouble) {
        lose(trouble);  // they come again
    }
}

/// All that is in hand comes again, to whoever reads then.
void rabbitmq_reader::forget() {
    for (auto& each : places_) each.arrived.clear();
    open_.clear();
}

void rabbitmq_reader::lose(const outage& trouble) {
    observe::log(observe::level::warn, "rabbitmq.reader_lost_connection",
                 {{"server", link_.at().location().name()}, {"group", member_.group}, {"reason", trouble.what()}});
    link_.drop();
    forget();
}

}  // namespace sluice::broker::rabbitmq
