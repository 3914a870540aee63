#include "console/row_choice.hpp"

#include <fmt/format.h>

#include <iterator>
#include <utility>

#include "operate/request_error.hpp"

namespace sluice::console {

namespace {

bool picks_nothing(const store::outbox_filter& filter) {
    return filter.target_broker.empty() && !filter.status && filter.stream.empty() && filter.message_id.empty() &&
           filter.type.empty() && filter.error.empty() && !filter.created_before;
}

}  // namespace

chosen_rows::chosen_rows(const operate::installation& with, operate::row_action what, const row_choice& choice) {
    if (choice.picked.empty()) {
        if (picks_nothing(choice.filter) != choice.all) {
            throw operate::wrong_request("say which rows: some of them, those that match a filter, or all");
        }
        changes_.emplace_back(with, what, choice.filter, choice.reason);
        return;
    }
    if (choice.picked.size() > most_picked) {
        throw operate::wrong_request(
            fmt::format("{} rows were picked; pick at most {}, or use a filter", choice.picked.size(), most_picked));
    }
    for (const auto& [broker, message_id] : choice.picked) {
        store::outbox_filter one;
        one.target_broker = broker;
        one.message_id = message_id;
        try {
            changes_.emplace_back(with, what, one, choice.reason);
        } catch (const operate::request_error& e) {
            // It was changed meanwhile.
            if (e.why() != operate::request_error::reason::not_found) throw;
        }
    }
}

std::size_t chosen_rows::count() const {
    std::size_t sum = 0;
    for (const operate::row_change& each : changes_) sum += each.count();
    return sum;
}

operate::rows_outcome chosen_rows::apply() {
    operate::rows_outcome sum;
    for (operate::row_change& each : changes_) {
        operate::rows_outcome one = each.apply();
        sum.changed += one.changed;
        std::move(one.left.begin(), one.left.end(), std::back_inserter(sum.left));
    }
    return sum;
}

std::string to_text(const row_choice& choice) {
    if (choice.picked.size() == 1) {
        return fmt::format("message {} for {}", choice.picked.front().message_id, choice.picked.front().broker);
    }
    if (!choice.picked.empty()) return fmt::format("{} picked rows", choice.picked.size());
    if (choice.all) return "all";
    std::string text;
    const auto add = [&](const char* word, const std::string& value) {
        if (!value.empty()) text += fmt::format("{}{} {}", text.empty() ? "" : ", ", word, value);
    };
    add("broker", choice.filter.target_broker);
    add("status", choice.filter.status ? store::to_string(*choice.filter.status) : "");
    add("stream", choice.filter.stream);
    add("type", choice.filter.type);
    add("error", choice.filter.error);
    add("message", choice.filter.message_id);
    add("before", choice.filter.created_before ? choice.filter.created_before->to_string() : "");
    return text;
}

}  // namespace sluice::console
