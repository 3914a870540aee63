#include <algorithm>

#include <sluice/test.hpp>

#include "broker/broker.hpp"
#include "envelope/envelope.hpp"
#include "testing/stage.hpp"

namespace sluice::test {

namespace {

constexpr std::size_t everything = 1'000'000;

message as_message(const store::logged_event& event) {
    return message::decode(envelope::render_internal(event.data, event.metadata));
}

}  // namespace

struct runtime::parts {
    parts(domain declared, const runtime_options& options) : stage{std::move(declared), options} {}

    testing_kit::stage stage;
};

runtime::runtime(domain declared, const runtime_options& options)
    : parts_{std::make_unique<parts>(std::move(declared), options)} {}

runtime::~runtime() = default;

context& runtime::context() noexcept { return parts_->stage.context(); }
date_time runtime::now() const noexcept { return parts_->stage.now(); }

void runtime::drain() { parts_->stage.drain(); }
void runtime::advance(duration by) { parts_->stage.advance(by); }

void runtime::deliver(const std::string& broker, const std::string& stream, std::string_view message_id,
                      std::string_view type, const json::object& data) {
    parts_->stage.put(broker, stream, stream, message_id, type, data);
}

void runtime::take_away(const std::string& broker) { parts_->stage.broker(broker).be_away(true); }
void runtime::bring_back(const std::string& broker) { parts_->stage.broker(broker).be_away(false); }

std::vector<message> runtime::events() const {
    std::vector<message> all;
    parts_->stage.for_each_event([&](const store::stream_event& each) {
        message one = as_message(each.event);
        const domain_metadata& said = one.metadata().domain;
        if (said.kind == message_kind::event || said.asynchronous) all.push_back(std::move(one));
    });
    return all;
}

std::vector<message> runtime::events_named(std::string_view cpp_name) const {
    const auto& known = parts_->stage.registry().events;
    const auto wanted = known.find(cpp_name);
    if (wanted == known.end()) {
        throw usage_error{"event `" + std::string{cpp_name} + "` is not declared in domain `" +
                          parts_->stage.registry().name + "`"};
    }
    std::vector<message> all = events();
    std::erase_if(all, [&](const message& each) { return each.type().text() != wanted->second.type; });
    return all;
}

std::vector<event_text> runtime::new_events() {
    std::vector<event_text> found;
    parts_->stage.for_each_new_event([&](const store::stream_event& each) {
        if (const auto* event = parts_->stage.registry().event_by_type(each.event.type)) {
            found.push_back({event->cpp_name, each.event.data});
        }
    });
    return found;
}

std::vector<row> runtime::rows(std::string_view broker) const {
    std::vector<row> all;
    for (const auto& [name, database] : parts_->stage.env().parts().databases) {
        std::vector<store::outbox_row> listed =
            database->open_operations()->list({.target_broker = std::string{broker}, .limit = everything});
        std::ranges::stable_sort(listed, {}, &store::outbox_row::seq);  // within an event by the broker's name
        for (store::outbox_row& each : listed) {
            all.push_back({.message_id = std::move(each.message_id),
                           .broker = std::move(each.target_broker),
                           .status = store::to_string(each.status),
                           .type = std::move(each.type),
                           .stream = std::move(each.stream),
                           .retry_count = each.retry_count});
        }
    }
    return all;
}

std::vector<message> runtime::published(const std::string& broker) const {
    std::vector<message> all;
    for (const std::string& body : parts_->stage.broker(broker).taken()) all.push_back(message::decode(body));
    return all;
}

std::vector<dead_letter> runtime::dead_letters() const {
    std::vector<dead_letter> all;
    for (const auto& [name, broker] : parts_->stage.brokers()) {
        for (auto& each : broker->open_operations()->dead_letters({.limit = everything})) {
            all.push_back({.group = std::move(each.group),
                           .stream = std::move(each.stream),
                           .reason = std::move(each.reason),
                           .code = std::move(each.code),
                           .attempts = each.attempts,
                           .body = std::move(each.body)});
        }
    }
    return all;
}

}  // namespace sluice::test
