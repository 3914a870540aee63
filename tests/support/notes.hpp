#pragma once

#include <algorithm>
#include <chrono>
#include <string>
#include <variant>
#include <vector>

#include <fmt/format.h>

#include "broker/publisher.hpp"

/// What the tests of every broker publish, and what they hear of it.
namespace sluice::testing {

/// A message that owns its texts.
struct note {
    std::string id;
    std::string key = "shop::order-1";
    std::string stream = "shop::order";
    std::string body{};  ///< empty: the wire form of a small event
    envelope::header_list head{};
    std::string content_type{};

    [[nodiscard]] std::string text() const {
        if (!body.empty()) return body;
        return fmt::format(R"({{"data": {{"n": 1}}, "metadata": {{"headers": {{"id": "{}", "type": "Shop.X.v1", )"
                           R"("stream": "{}"}}}}}})",
                           id, key);
    }
};

template <class Verdict>
[[nodiscard]] bool is(const broker::verdict& of) {
    return std::holds_alternative<Verdict>(of);
}

/// `delivered`, `refused: CODE REASON` or `unreachable: REASON`
[[nodiscard]] inline std::string told(const broker::verdict& of) {
    if (const auto* no = std::get_if<broker::refused>(&of)) return "refused: " + no->code + " " + no->reason;
    if (const auto* away = std::get_if<broker::unreachable>(&of)) return "unreachable: " + away->reason;
    return "delivered";
}

[[nodiscard]] inline std::vector<std::string> told(const std::vector<broker::verdict>& all) {
    std::vector<std::string> texts;
    texts.reserve(all.size());
    for (const auto& each : all) texts.push_back(told(each));
    return texts;
}

inline std::vector<broker::verdict> publish(broker::publisher& to, const std::vector<note>& notes,
                                            const broker::producer& from, duration timeout = std::chrono::seconds{10}) {
    std::vector<std::string> bodies;
    bodies.reserve(notes.size());
    std::vector<broker::outgoing> batch;
    batch.reserve(notes.size());
    for (const note& each : notes) {
        batch.push_back({.stream = each.stream,
                         .message_id = each.id,
                         .key = each.key,
                         .body = bodies.emplace_back(each.text()),
                         .head = each.head,
                         .content_type = each.content_type});
    }
    return to.publish(batch, from, timeout);
}

inline std::vector<broker::verdict> publish(broker::publisher& to, const std::vector<note>& notes,
                                            duration timeout = std::chrono::seconds{10}) {
    return publish(to, notes, broker::producer{}, timeout);
}

}  // namespace sluice::testing
