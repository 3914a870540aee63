#include "console/letter_choice.hpp"

#include <fmt/format.h>

#include <utility>

#include "operate/request_error.hpp"

namespace sluice::console {

operate::letter_change change_of(const context& in, operate::letter_action what, const letter_choice& choice) {
    const bool picks_nothing =
        choice.broker.empty() && choice.stream.empty() && choice.group.empty() && choice.id.empty();
    if (picks_nothing != choice.all) {
        throw operate::wrong_request("say which dead letters: an id, a broker, a stream, a group, or all");
    }
    auto brokers = operate::open_brokers(in.with().parts, choice.broker);
    broker::dead_letter_filter filter{.stream = choice.stream, .group = choice.group, .id = choice.id};
    if (!choice.id.empty()) {
        operate::narrow(brokers, filter, operate::the_one(operate::find_letters(brokers, filter), choice.id));
    }
    return {std::move(brokers), what, filter, what == operate::letter_action::replay ? in.declared() : nullptr};
}

std::string to_text(const letter_choice& choice) {
    if (choice.all) return "all";
    std::string text;
    const auto add = [&](const char* word, const std::string& value) {
        if (!value.empty()) text += fmt::format("{}{} {}", text.empty() ? "" : ", ", word, value);
    };
    add("dead letter", choice.id);
    add("broker", choice.broker);
    add("stream", choice.stream);
    add("group", choice.group);
    return text;
}

}  // namespace sluice::console
