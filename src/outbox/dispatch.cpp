#include "outbox/dispatch.hpp"

#include <fmt/format.h>

#include <deque>
#include <exception>
#include <set>
#include <string_view>

#include <sluice/error.hpp>

#include "envelope/text_template.hpp"

namespace sluice::outbox {

namespace {

/// The messages of a batch, and the rows they came from.
class rendering {
public:
    rendering(std::span<const store::due_row> rows, const dispatch_rules& rules)
        : verdicts_(rows.size(), broker::unreachable{"not sent behind a row that cannot be rendered"}) {
        for (std::size_t i = 0; i < rows.size(); ++i) {
            if (closed_.contains(rows[i].event.stream)) continue;
            try {
                add(i, rows[i], rules);
            } catch (const error& problem) {
                closed_.insert(rows[i].event.stream);
                verdicts_[i] = broker::refused{problem.what(), "unrenderable", true};
            }
        }
    }

    [[nodiscard]] std::span<const broker::outgoing> messages() const { return messages_; }

    [[nodiscard]] std::vector<broker::verdict> with(std::vector<broker::verdict> sent) && {
        sent.resize(rows_.size(), broker::unreachable{"the broker gave no verdict"});
        for (std::size_t i = 0; i < rows_.size(); ++i) {
            const bool is_first = i == 0 || rows_[i - 1] != rows_[i];
            auto& verdict = verdicts_[rows_[i]];
            if (is_first) {
                verdict = std::move(sent[i]);
            } else if (is_delivered(verdict) && !is_delivered(sent[i])) {
                verdict = naming(messages_[i].message_id, std::move(sent[i]));
            }
        }
        return std::move(verdicts_);
    }

private:
    struct text {
        std::string stream;
        std::string message_id;
        envelope::rendered_message content;
    };

    void add(std::size_t index, const store::due_row& row, const dispatch_rules& rules) {
        const std::string stream = rules.stream_of(row);
        auto rendered = rules.form->render(row.event.data, row.event.metadata);
        for (const auto& each : rendered) rules.require_size(row.event.message_id, each.body.size());
        for (auto& each : rendered) {
            std::string own_id = row.event.message_id + each.id_suffix;
            const auto& [to, id, content] = texts_.emplace_back(text{stream, std::move(own_id), std::move(each)});
            messages_.push_back({.stream = to,
                                 .message_id = id,
                                 .key = row.event.stream,
                                 .body = content.body,
                                 .position = row.seq,
                                 .raised_at = row.event.created_at,
                                 .head = content.head,
                                 .content_type = content.content_type});
            rows_.push_back(index);
        }
    }

    static bool is_delivered(const broker::verdict& one) { return std::holds_alternative<broker::delivered>(one); }

    /// The error of a row tells which of its messages was refused, unless it is the event itself.
    static broker::verdict naming(std::string_view message_id, broker::verdict one) {
        if (auto* const refusal = std::get_if<broker::refused>(&one)) {
            refusal->reason = std::string{message_id} + ": " + refusal->reason;
        }
        return one;
    }

    std::vector<broker::verdict> verdicts_;
    std::deque<text> texts_;  ///< what the messages refer to, so they stay where they are
    std::vector<broker::outgoing> messages_;
    std::vector<std::size_t> rows_;
    std::set<std::string_view> closed_;
};

std::vector<broker::verdict> send(std::span<const broker::outgoing> messages, broker::publisher& publisher,
                                  const broker::producer& from, duration timeout) {
    if (messages.empty()) return {};
    try {
        return publisher.publish(messages, from, timeout);
    } catch (const std::exception& problem) {
        return {messages.size(), broker::unreachable{problem.what()}};
    }
}

}  // namespace

std::string dispatch_rules::stream_of(const store::due_row& row) const {
    const auto& category = row.event.stream_category;
    if (category.empty()) throw usage_error{"the event has no stream category, so there is no stream to send it to"};
    std::string to = envelope::fill_template(stream, {category, row.event.type});
    const bool is_backfill = priority_lanes.enabled && row.priority < priority_lanes.threshold;
    return is_backfill ? to + ":" + priority_lanes.backfill_suffix : to;
}

void dispatch_rules::require_size(std::string_view message_id, std::size_t bytes) const {
    if (largest_message == 0 || bytes <= largest_message) return;
    throw usage_error{
        fmt::format("message {} has {} bytes, and max_message_bytes of the lane is {}; raise it, then "
                    "`sluice outbox retry`",
                    message_id, bytes, largest_message)};
}

std::vector<broker::verdict> dispatch(std::span<const store::due_row> rows, const dispatch_rules& rules,
                                      broker::publisher& publisher, const broker::producer& from, duration timeout) {
    rendering batch{rows, rules};
    auto verdicts = send(batch.messages(), publisher, from, timeout);
    return std::move(batch).with(std::move(verdicts));
}

}  // namespace sluice::outbox
