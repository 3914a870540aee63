#include "broker/inline/inline_broker.hpp"

#include <charconv>
#include <deque>
#include <unordered_set>

#include <sluice/error.hpp>

#include "broker/inline/memory_streams.hpp"
#include "broker/siblings.hpp"

namespace sluice::broker {
namespace {

using memory::entry_id;
using memory::memory_streams;
using memory::seat;

entry_id parse_entry(std::string_view text) {
    entry_id id = 0;
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), id);
    if (failure != std::errc{} || end != text.data() + text.size()) {
        throw usage_error{"'" + std::string{text} + "' is no entry of an inline broker; pass what read() returned"};
    }
    return id;
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

class inline_consumer final : public consumer {
public:
    inline_consumer(std::shared_ptr<memory_streams> streams, seat at)
        : streams_{std::move(streams)}, seat_{std::move(at)} {}

    [[nodiscard]] std::vector<delivery> read(std::size_t limit, date_time now) override {
        seen_version_ = streams_->version(seat_.stream);
        auto taken = streams_->read(seat_, held_, limit, now);
        for (const auto& d : taken) held_.insert(parse_entry(d.entry));
        return taken;
    }

    [[nodiscard]] base::wake_reason wait_with(std::span<consumer* const> others, base::wake_signal& signal,
                                              duration timeout) override {
        std::deque<sleeper> sleepers;  // a sleeper stays where it was made
        bool already = false;          // what came between the last look and now notified nobody
        for (const inline_consumer* each : with_siblings(*this, others)) {
            sleepers.emplace_back(*each->streams_, each->seat_.stream, signal);
            already |= each->streams_->version(each->seat_.stream) != each->seen_version_;
        }
        const auto reason = base::wait_any(signal, nullptr, already ? duration{0} : timeout);
        return already && reason == base::wake_reason::timed_out ? base::wake_reason::signalled : reason;
    }

    void heartbeat(date_time now) override {
        if (!held_.empty()) streams_->stay_alive(seat_, now);
    }
    void release() override { streams_->release(seat_); }

    void ack(std::span<const std::string> entries) override {
        std::vector<entry_id> ids;
        ids.reserve(entries.size());
        for (const auto& entry : entries) ids.push_back(parse_entry(entry));
        streams_->ack(seat_, ids);
        for (const auto id : ids) held_.erase(id);
    }

    void defer(std::string_view entry, int attempts, date_time not_before) override {
        streams_->defer(seat_, parse_entry(entry), attempts, not_before);
    }

    void dead_letter(const delivery& message, const death& why) override {
        const auto id = parse_entry(message.entry);
        streams_->dead_letter(seat_, id, message, why);
        held_.erase(id);
    }

private:
    /// A signal that the stream notifies while this lives.
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

    std::shared_ptr<memory_streams> streams_;
    seat seat_;
    std::unordered_set<entry_id> held_{};
    std::uint64_t seen_version_ = 0;
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
    [[nodiscard]] capabilities can() const override {
        return {.durable = false,
                .cross_process = false,
                .deduplicates = true,
                .fences = true,
                .dead_letters = true,
                .max_message_bytes = 0};
    }

    [[nodiscard]] std::unique_ptr<publisher> open_publisher() override {
        return std::make_unique<inline_publisher>(streams_);
    }
    [[nodiscard]] std::unique_ptr<consumer> open_consumer(std::string stream, membership member) override {
        return std::make_unique<inline_consumer>(streams_, seat{std::move(stream), std::move(member)});
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
