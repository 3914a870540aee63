#include <algorithm>
#include <set>
#include <utility>

#include "store/memory/sessions.hpp"

namespace sluice::store::memory {
namespace {

bool is_waiting(const memory_kept& each) { return !each.message.dead_since; }

class memory_kept_message_session final : public kept_message_session {
public:
    explicit memory_kept_message_session(memory_data& data) : data_{data} {}

    std::vector<std::string> waiting_keys(const kept_place& at, std::span<const std::string> keys) override {
        const std::lock_guard lock{data_.mutex};
        std::set<std::string> found;
        for (const auto& [number, each] : data_.kept) {
            const std::string& key = each.message.key;
            if (key.empty() || !is_waiting(each) || each.message.at != at) continue;
            if (std::ranges::find(keys, key) != keys.end()) found.insert(key);
        }
        return {found.begin(), found.end()};
    }

    std::vector<sequence> keep(std::span<const kept_message> messages, const kept_claim& claim) override {
        const std::lock_guard lock{data_.mutex};
        std::vector<sequence> numbers;
        for (const kept_message& each : messages) numbers.push_back(keep_one(each, claim));
        return numbers;
    }

    std::vector<kept_message> take(const kept_place& at, const kept_page& page, std::span<const sequence> in_hand,
                                   const kept_claim& claim) override {
        const std::lock_guard lock{data_.mutex};
        std::vector<kept_message> taken;
        std::size_t behind = 0;
        std::map<std::string, bool> ours;  // keys whose first message is claimed by the caller
        for (auto& [number, each] : data_.kept) {
            if (taken.size() == page.limit) break;
            if (!is_waiting(each) || each.message.at != at) continue;
            const bool free = each.owner.empty() || each.owner == claim.owner || each.until <= claim.now;
            const std::string& key = each.message.key;
            const auto [of_key, is_first] = ours.try_emplace(key, free);
            if (key.empty() || is_first ? !free : !of_key->second || behind == page.behind) continue;
            if (std::ranges::find(in_hand, number) != in_hand.end()) continue;
            if (!key.empty() && !is_first) ++behind;
            each.owner = claim.owner;
            each.until = claim.now + claim.ttl;
            taken.push_back(each.message);
        }
        return taken;
    }

    void defer(sequence number, std::string_view owner, int attempts, date_time not_before) override {
        const std::lock_guard lock{data_.mutex};
        if (memory_kept* const found = data_.kept_by(owner, number)) {
            found->message.attempts = attempts;
            found->message.not_before = not_before;
        }
    }

    void bury(const kept_name& name, std::string_view owner, const kept_message& failed) override {
        const std::lock_guard lock{data_.mutex};
        memory_kept* const found = data_.kept_by(owner, name.number);
        if (found == nullptr) return;
        kept_message& dead = found->message;
        dead.attempts = failed.attempts;
        dead.not_before.reset();
        dead.reason = failed.reason;
        dead.code = failed.code;
        dead.consumer = failed.consumer;
        dead.dead_since = failed.dead_since;
        found->owner.clear();
    }

    void remove(const kept_place& /*at*/, std::string_view owner, std::span<const kept_name> names) override {
        const std::lock_guard lock{data_.mutex};
        for (const kept_name& each : names) {
            if (data_.kept_by(owner, each.number) != nullptr) data_.kept.erase(each.number);
        }
    }

    void renew(std::string_view broker, std::string_view group, const kept_claim& claim) override {
        for_each_of(broker, group, [&](memory_kept& each) {
            if (each.owner == claim.owner) each.until = claim.now + claim.ttl;
        });
    }

    void release(std::string_view broker, std::string_view group, std::string_view owner) override {
        for_each_of(broker, group, [&](memory_kept& each) {
            if (each.owner == owner) each.owner.clear();
        });
    }

    std::vector<kept_message> dead(const kept_filter& filter) override {
        const std::lock_guard lock{data_.mutex};
        std::vector<kept_message> found;
        const auto numbers = dead_numbers(filter, SIZE_MAX);
        for (auto each = numbers.rbegin(); each != numbers.rend() && found.size() < filter.limit; ++each) {
            found.push_back(data_.kept.at(*each).message);
        }
        return found;
    }

    std::size_t count_dead(const kept_filter& filter) override {
        const std::lock_guard lock{data_.mutex};
        return dead_numbers(filter, SIZE_MAX).size();
    }

    std::size_t replay(const kept_filter& filter) override {
        const std::lock_guard lock{data_.mutex};
        const auto numbers = dead_numbers(filter, filter.limit);
        for (const sequence number : numbers) {
            kept_message message = std::move(data_.kept.extract(number).mapped().message);
            message.number = ++data_.last_kept;
            message.attempts = 0;
            message.dead_since.reset();
            data_.kept.emplace(data_.last_kept, memory_kept{.message = std::move(message)});
        }
        return numbers.size();
    }

    std::size_t purge(const kept_filter& filter) override {
        const std::lock_guard lock{data_.mutex};
        const auto numbers = dead_numbers(filter, filter.limit);
        for (const sequence number : numbers) data_.kept.erase(number);
        return numbers.size();
    }

    std::vector<kept_counts> counts(std::string_view broker) override {
        std::map<kept_place, kept_counts> found;
        for_each_of(broker, {}, [&](const memory_kept& each) {
            kept_counts& of = found[each.message.at];
            of.at = each.message.at;
            ++(!is_waiting(each) ? of.dead : each.owner.empty() ? of.waiting : of.claimed);
        });
        std::vector<kept_counts> all;
        all.reserve(found.size());
        for (auto& [at, counts] : found) all.push_back(std::move(counts));
        return all;
    }

    void rename_group(std::string_view broker, std::string_view from, std::string_view to) override {
        for_each_of(broker, from, [&](memory_kept& each) { each.message.at.group = to; });
    }

    void retire_group(std::string_view broker, std::string_view stream, std::string_view group) override {
        const std::lock_guard lock{data_.mutex};
        std::erase_if(data_.kept, [&](const auto& each) { return is_of(each.second.message, broker, stream, group); });
    }

private:
    [[nodiscard]] static bool is_of(const kept_message& message, std::string_view broker, std::string_view stream,
                                    std::string_view group) {
        return message.at.broker == broker && (stream.empty() || message.at.stream == stream) &&
               (group.empty() || message.at.group == group);
    }

    template <class Action>
    void for_each_of(std::string_view broker, std::string_view group, Action action) {
        const std::lock_guard lock{data_.mutex};
        for (auto& [number, each] : data_.kept) {
            if (is_of(each.message, broker, {}, group)) action(each);
        }
    }

    [[nodiscard]] sequence keep_one(const kept_message& message, const kept_claim& claim) {
        for (const auto& [number, each] : data_.kept) {
            if (each.message.at == message.at && each.message.entry == message.entry) return number;
        }
        memory_kept made{.message = message};
        made.message.number = ++data_.last_kept;
        const bool first = message.key.empty() || std::ranges::none_of(data_.kept, [&](const auto& other) {
                               return is_waiting(other.second) && other.second.message.at == message.at &&
                                      other.second.message.key == message.key;
                           });
        if (is_waiting(made) && first) {
            made.owner = claim.owner;
            made.until = claim.now + claim.ttl;
        }
        data_.kept.emplace(data_.last_kept, std::move(made));
        return data_.last_kept;
    }

    /// Oldest first.
    [[nodiscard]] std::vector<sequence> dead_numbers(const kept_filter& filter, std::size_t limit) const {
        std::vector<sequence> numbers;
        for (const auto& [number, each] : data_.kept) {
            if (numbers.size() == limit) break;
            if (is_waiting(each) || !is_of(each.message, filter.broker, filter.stream, filter.group)) continue;
            if (!filter.number || *filter.number == number) numbers.push_back(number);
        }
        return numbers;
    }

    memory_data& data_;
};

}  // namespace

std::unique_ptr<kept_message_session> make_kept_message_session(memory_data& data) {
    return std::make_unique<memory_kept_message_session>(data);
}

}  // namespace sluice::store::memory
