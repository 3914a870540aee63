#include "broker/inline/inline_broker.hpp"

#include <charconv>
#include <deque>
#include <unordered_set>

#include <sluice/error.hpp>

#include "broker/inline/memory_streams.hpp"

namespace sluice::broker {
namespace {

using memory::entry_id;
using memory::memory_streams;
using memory::seat;

std::optional<entry_id> entry_in(std::string_view text) {
    entry_id id = 0;
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), id);
    if (failure != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return id;
}

entry_id parse_entry(std::string_view text) {
    if (const auto id = entry_in(text)) return *id;
    throw usage_error{"'" + std::string{text} + "' is no entry of an inline broker; pass what read() returned"};
}

class inline_publisher final : public publisher {
public:
    explicit inline_publisher(std::shared_ptr<memory_streams> streams) : streams_{std::move(streams)} {}

    [[nodiscard]] std::vector<verdict> publish(std::span<const outgoing> batch, const producer& from,
                                               duration /*timeout*/) override {
        last_ = from;
        return streams_->publish(batch, from);
    }
    [[nodiscard]] std::string probe(duration /*timeout*/) override { return {}; }
    [[nodiscard]] std::optional<fence_state> rival() const override { return streams_->rival_of(last_); }

private:
    std::shared_ptr<memory_streams> streams_;
    producer last_{};
};

/// A signal that a stream notifies while this lives.
class sleeper {
public:
    sleeper(memory_streams& streams, const std::string& stream, base::wake_signal& signal)
        : streams_{streams}, stream_{stream}, signal_{signal} {
        streams_.watch(stream_, signal_);
    }
    sleeper(const sleeper&) = delete;
    sleeper& operator=(const sleeper&) = delete;
    ~sleeper() { streams_.unwatch(stream_, signal_); }

private:
    memory_streams& streams_;
    const std::string& stream_;
    base::wake_signal& signal_;
};

class inline_reader final : public reader, public keeper {
public:
    inline_reader(std::shared_ptr<memory_streams> streams, const std::vector<std::string>& names,
                  const membership& member)
        : streams_{std::move(streams)} {
        for (const std::string& name : names) places_.push_back({.at = {name, member}});
    }

    [[nodiscard]] std::vector<delivery> read(std::size_t stream, std::size_t limit, date_time now) override {
        place& from = places_[stream];
        from.seen_version = streams_->version(from.at.stream);
        auto taken = streams_->read(from.at, from.held, limit, now);
        for (const auto& d : taken) from.held.insert(parse_entry(d.entry));
        return taken;
    }

    [[nodiscard]] base::wake_reason wait(base::wake_signal& signal, duration timeout) override {
        std::deque<sleeper> sleepers;  // a sleeper stays where it was made
        bool already = false;          // what came between the last look and now notified nobody
        for (const place& each : places_) {
            sleepers.emplace_back(*streams_, each.at.stream, signal);
            already |= streams_->version(each.at.stream) != each.seen_version;
        }
        const auto reason = base::wait_any(signal, nullptr, already ? duration{0} : timeout);
        return already && reason == base::wake_reason::timed_out ? base::wake_reason::signalled : reason;
    }

    void heartbeat(date_time now) override {
        for (const place& each : places_) {
            if (!each.held.empty()) streams_->stay_alive(each.at, now);
        }
    }
    void release() override {
        for (const place& each : places_) streams_->release(each.at);
    }

    void ack(std::size_t stream, std::span<const std::string> entries) override {
        place& from = places_[stream];
        std::vector<entry_id> ids;
        ids.reserve(entries.size());
        for (const auto& entry : entries) ids.push_back(parse_entry(entry));
        streams_->ack(from.at, ids);
        for (const auto id : ids) from.held.erase(id);
    }

    [[nodiscard]] keeper* own_keeper() noexcept override { return this; }

    void defer(std::size_t stream, const delivery& message, int attempts, date_time not_before) override {
        streams_->defer(places_[stream].at, parse_entry(message.entry), attempts, not_before);
    }

    void dead_letter(std::size_t stream, const delivery& message, const death& why) override {
        place& from = places_[stream];
        const auto id = parse_entry(message.entry);
        streams_->dead_letter(from.at, id, message, why);
        from.held.erase(id);
    }

private:
    struct place {
        seat at;
        std::unordered_set<entry_id> held{};
        std::uint64_t seen_version = 0;
    };

    std::shared_ptr<memory_streams> streams_;
    std::vector<place> places_;  ///< in the order of the streams
};

class inline_walk final : public stream_walk {
public:
    inline_walk(std::shared_ptr<memory_streams> streams, std::string_view stream)
        : streams_{std::move(streams)}, stream_{stream}, end_{streams_->last_entry()} {}

    [[nodiscard]] std::vector<walked_entry> next(std::size_t limit) override {
        std::vector<walked_entry> page;
        for (auto& [entry, message_id] : streams_->entries(stream_, last_, end_, limit)) {
            last_ = entry;
            page.push_back({.message_id = std::move(message_id)});
        }
        return page;
    }
    [[nodiscard]] bool has_expired(std::string_view receipt, date_time /*confirmed_at*/) override {
        const auto entry = entry_in(receipt);
        return entry && streams_->may_have_removed(stream_, *entry);
    }

private:
    std::shared_ptr<memory_streams> streams_;
    std::string stream_;
    entry_id last_ = 0;
    entry_id end_;
};

class inline_operations final : public operations {
public:
    explicit inline_operations(std::shared_ptr<memory_streams> streams) : streams_{std::move(streams)} {}

    [[nodiscard]] std::vector<dead_letter_entry> dead_letters(const dead_letter_filter& filter) override {
        return streams_->dead_letters(filter);
    }
    [[nodiscard]] std::size_t count(const dead_letter_filter& filter) override { return streams_->count(filter); }
    [[nodiscard]] letters_outcome replay(const dead_letter_filter& filter) override {
        return {.changed = streams_->replay(filter)};
    }
    [[nodiscard]] letters_outcome purge(const dead_letter_filter& filter) override {
        return {.changed = streams_->purge(filter)};
    }
    [[nodiscard]] std::vector<group_status> groups() override { return streams_->groups(); }
    [[nodiscard]] std::optional<fence_state> fence_of(std::string_view producer) override {
        return streams_->fence_of(producer);
    }
    [[nodiscard]] std::vector<std::string> newest_ids(std::string_view stream, std::size_t limit) override {
        return streams_->newest_ids(stream, limit);
    }
    [[nodiscard]] std::unique_ptr<stream_walk> walk(std::string_view stream,
                                                    std::optional<date_time> /*from*/) override {
        return std::make_unique<inline_walk>(streams_, stream);
    }
    [[nodiscard]] std::vector<known_group> known_groups() override { return streams_->known_groups(); }
    std::size_t rename_group(std::string_view from, std::string_view to) override {
        return streams_->rename_group(std::string{from}, std::string{to});
    }
    std::size_t retire_group(std::string_view stream, std::string_view group) override {
        return streams_->retire_group(stream, std::string{group});
    }
    void abandon_group(std::string_view stream, std::string_view group, date_time /*now*/) override {
        streams_->abandon_group(stream, std::string{group});
    }
    void trim(date_time /*now*/) override {}

private:
    std::shared_ptr<memory_streams> streams_;
};

class inline_broker final : public broker {
public:
    inline_broker(std::string name, std::size_t max_entries)
        : name_{std::move(name)}, streams_{std::make_shared<memory_streams>(max_entries)} {}

    [[nodiscard]] std::string describe() const override { return "inline " + name_; }
    [[nodiscard]] capabilities can() const override { return {.cross_process = false, .fences = true, .walks = true}; }

    [[nodiscard]] std::unique_ptr<publisher> open_publisher() override {
        return std::make_unique<inline_publisher>(streams_);
    }
    [[nodiscard]] std::unique_ptr<reader> open_reader(const std::vector<std::string>& streams,
                                                      const membership& member) override {
        return std::make_unique<inline_reader>(streams_, streams, member);
    }
    [[nodiscard]] std::unique_ptr<operations> open_operations() override {
        return std::make_unique<inline_operations>(streams_);
    }

private:
    std::string name_;
    std::shared_ptr<memory_streams> streams_;
};

}  // namespace

std::unique_ptr<broker> make_inline_broker(std::string name, std::size_t max_entries) {
    return std::make_unique<inline_broker>(std::move(name), max_entries);
}

}  // namespace sluice::broker
