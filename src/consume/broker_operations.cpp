#include "consume/broker_operations.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include <sluice/error.hpp>

#include "broker/broker.hpp"
#include "broker/group_is_taken.hpp"
#include "consume/kept_entry.hpp"

namespace sluice::consume {

namespace {

/// Asks the database. For operators it is a part of the broker.
template <class Action>
auto kept_by_database(Action action) {
    try {
        return action();
    } catch (const store_error& e) {
        throw broker_error{std::string{"its failed messages are not known: "} + e.what(), e.nature()};
    }
}

broker::dead_letter_entry to_entry(store::kept_message message) {
    return {.id = kept_entry(message.number),
            .stream = std::move(message.at.stream),
            .original_entry = std::move(message.entry),
            .group = std::move(message.at.group),
            .consumer = std::move(message.consumer),
            .reason = std::move(message.reason),
            .code = std::move(message.code),
            .attempts = message.attempts,
            .failed_at = *message.dead_since,
            .body = std::move(message.body)};
}

template <class Group>
auto find_group(std::vector<Group>& all, const store::kept_place& at) {
    return std::ranges::find_if(all,
                                [&](const Group& each) { return each.stream == at.stream && each.group == at.group; });
}

/// The broker's own operations, with the messages that the database keeps for it.
class keeping_operations final : public broker::operations {
public:
    keeping_operations(std::string name, std::unique_ptr<operations> inner,
                       std::unique_ptr<store::kept_message_session> kept)
        : name_{std::move(name)}, inner_{std::move(inner)}, kept_{std::move(kept)} {}

    [[nodiscard]] std::vector<broker::dead_letter_entry> dead_letters(
        const broker::dead_letter_filter& filter) override {
        std::vector<broker::dead_letter_entry> found;
        if (const auto which = to_kept(filter)) {
            auto letters = kept_by_database([&] { return kept_->dead(*which); });
            for (store::kept_message& each : letters) found.push_back(to_entry(std::move(each)));
        }
        return found;
    }
    [[nodiscard]] std::size_t count(const broker::dead_letter_filter& filter) override {
        const auto which = to_kept(filter);
        return which ? kept_by_database([&] { return kept_->count_dead(*which); }) : 0;
    }
    [[nodiscard]] broker::letters_outcome replay(const broker::dead_letter_filter& filter) override {
        const auto which = to_kept(filter);
        return {.changed = which ? kept_by_database([&] { return kept_->replay(*which); }) : 0};
    }
    [[nodiscard]] broker::letters_outcome purge(const broker::dead_letter_filter& filter) override {
        const auto which = to_kept(filter);
        return {.changed = which ? kept_by_database([&] { return kept_->purge(*which); }) : 0};
    }

    [[nodiscard]] std::vector<broker::group_status> groups() override {
        auto all = inner_->groups();
        for (const store::kept_counts& each : counts()) {
            auto known = find_group(all, each.at);
            if (known == all.end()) {
                known = all.insert(all.end(), {.stream = each.at.stream, .group = each.at.group});
            }
            known->lag += each.waiting;
            known->pending += each.claimed;
            known->dead += each.dead;
        }
        return all;
    }
    [[nodiscard]] std::optional<broker::fence_state> fence_of(std::string_view producer) override {
        return inner_->fence_of(producer);
    }
    [[nodiscard]] std::vector<std::string> newest_ids(std::string_view stream, std::size_t limit) override {
        return inner_->newest_ids(stream, limit);
    }
    [[nodiscard]] std::unique_ptr<broker::stream_walk> walk(std::string_view stream,
                                                            std::optional<date_time> from) override {
        return inner_->walk(stream, from);
    }
    [[nodiscard]] std::vector<broker::known_group> known_groups() override {
        auto all = inner_->known_groups();
        for (store::kept_counts& each : counts()) {
            if (find_group(all, each.at) == all.end())
                all.push_back({.stream = std::move(each.at.stream), .group = std::move(each.at.group)});
        }
        return all;
    }

    std::size_t rename_group(std::string_view from, std::string_view to) override {
        const auto all = counts();
        const std::size_t kept = streams_of(from, {}, all);
        for (const store::kept_counts& each : all) {
            if (kept > 0 && each.at.group == to) throw broker::group_is_taken(to, each.at.stream);
        }
        const std::size_t streams = std::max(inner_->rename_group(from, to), kept);
        kept_by_database([&] { return kept_->rename_group(name_, from, to); });
        return streams;
    }
    std::size_t retire_group(std::string_view stream, std::string_view group) override {
        const std::size_t streams = std::max(inner_->retire_group(stream, group), streams_of(group, stream, counts()));
        kept_by_database([&] { return kept_->retire_group(name_, stream, group); });
        return streams;
    }
    void abandon_group(std::string_view stream, std::string_view group, date_time now) override {
        inner_->abandon_group(stream, group, now);
    }
    void trim(date_time now) override { inner_->trim(now); }
    void hurry(duration patience) noexcept override { inner_->hurry(patience); }

private:
    /// None when it names a dead letter that is not one of these.
    [[nodiscard]] std::optional<store::kept_filter> to_kept(const broker::dead_letter_filter& filter) const {
        store::kept_filter which{
            .broker = name_, .stream = filter.stream, .group = filter.group, .limit = filter.limit};
        if (filter.id.empty()) return which;
        which.number = kept_number(filter.id);
        return which.number ? std::optional{which} : std::nullopt;
    }
    [[nodiscard]] std::vector<store::kept_counts> counts() {
        return kept_by_database([&] { return kept_->counts(name_); });
    }
    /// On how many streams the group has messages here, or whether it has on the one that is named.
    [[nodiscard]] static std::size_t streams_of(std::string_view group, std::string_view stream,
                                                const std::vector<store::kept_counts>& all) {
        return static_cast<std::size_t>(std::ranges::count_if(all, [&](const store::kept_counts& each) {
            return each.at.group == group && (stream.empty() || each.at.stream == stream);
        }));
    }

    std::string name_;
    std::unique_ptr<operations> inner_;
    std::unique_ptr<store::kept_message_session> kept_;
};

}  // namespace

std::unique_ptr<broker::operations> make_keeping_operations(std::string name, std::unique_ptr<broker::operations> inner,
                                                            std::unique_ptr<store::kept_message_session> kept) {
    return std::make_unique<keeping_operations>(std::move(name), std::move(inner), std::move(kept));
}

std::unique_ptr<broker::operations> open_broker_operations(const commit::adapters& parts, const std::string& name) {
    broker::broker& broker = *parts.brokers.at(name);
    auto inner = broker.open_operations();
    if (!broker.can().readable || broker.can().keeps_failed) return inner;
    return make_keeping_operations(
        name, std::move(inner), kept_by_database([&] { return parts.databases.at("default")->open_kept_messages(); }));
}

}  // namespace sluice::consume
