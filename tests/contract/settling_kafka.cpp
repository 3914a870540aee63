#include "contract/settling_kafka.hpp"

#include <algorithm>
#include <chrono>
#include <functional>
#include <list>
#include <map>
#include <set>
#include <span>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <sluice/error.hpp>

#include "broker/kafka/entry_name.hpp"
#include "contract/kafka_witness.hpp"

namespace sluice::broker::contract {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;

constexpr milliseconds between_looks{10};

/// A reader of the test, as its broker sees it.
struct seat {
    std::string group;
    std::string name;
    duration claim;
    date_time last_sign;
    bool is_in = true;  ///< it has joined or will, and has not left since
};

/// What the members of one group did in one stream.
struct record {
    bool was_read = false;
    std::set<std::int64_t> acknowledged{};
};

/// What the readers and the operations of one broker know of each other.
struct ledger {
    explicit ledger(const kafka_options& options) : witness{options}, time{*options.time} {}

    kafka_witness witness;
    const clock& time;
    std::list<seat> seats{};
    std::map<std::pair<std::string, std::string>, record> records{};  ///< by group and stream

    [[nodiscard]] bool is_silent(const seat& who) const { return time.now() - who.last_sign > who.claim; }
    /// Whether nothing makes the member leave the group.
    [[nodiscard]] bool stays(const std::string& group, const std::string& name) const {
        return std::ranges::any_of(seats, [&](const seat& each) {
            return each.group == group && each.name == name && each.is_in && !is_silent(each);
        });
    }
    [[nodiscard]] bool has_members(const std::string& group) const {
        return std::ranges::any_of(seats, [&](const seat& each) { return each.group == group && each.is_in; });
    }
    void forget(std::string_view group) {
        std::erase_if(records, [&](const auto& each) { return each.first.first == group; });
    }
};

/// Until the condition holds; false when it does not within a minute. While the cluster does not answer, it does not.
bool wait_until(const std::function<bool()>& holds, const std::function<void()>& pause) {
    const auto give_up = steady_clock::now() + seconds{60};
    for (;;) {
        try {
            if (holds()) return true;
        } catch (const broker_error&) {
        }
        if (steady_clock::now() > give_up) return false;
        pause();
    }
}

class settling_reader final : public reader {
public:
    settling_reader(std::unique_ptr<reader> behind, std::shared_ptr<ledger> book,
                    const std::vector<std::string>& streams, const membership& member)
        : behind_{std::move(behind)}, book_{std::move(book)} {
        for (const auto& each : streams) shares_.push_back({.stream = each});
        me_ = book_->seats.insert(
            book_->seats.end(),
            {.group = member.group, .name = member.seat(), .claim = member.claim, .last_sign = book_->time.now()});
    }
    settling_reader(const settling_reader&) = delete;
    settling_reader& operator=(const settling_reader&) = delete;
    ~settling_reader() override {
        behind_.reset();
        book_->seats.erase(me_);
    }

    [[nodiscard]] std::vector<delivery> read(std::size_t stream, std::size_t limit, date_time now) override {
        if (book_->is_silent(*me_) || !me_->is_in) begin_anew();
        me_->is_in = true;
        std::vector<delivery> found;
        base::wake_signal nobody;
        const auto is_done = [&] {
            sign();
            for (auto& each : behind_->read(stream, limit - found.size(), now)) {
                note(stream, each);
                found.push_back(std::move(each));
            }
            return found.size() >= limit || nothing_more_comes(stream);
        };
        EXPECT_TRUE(wait_until(is_done, [&] { static_cast<void>(behind_->wait(nobody, between_looks)); }))
            << "group " << me_->group << " did not settle";
        return found;
    }
    [[nodiscard]] base::wake_reason wait(base::wake_signal& signal, duration timeout) override {
        sign();
        return behind_->wait(signal, timeout);
    }
    void heartbeat(date_time now) override {
        sign();
        behind_->heartbeat(now);
    }
    void release() override {
        me_->is_in = false;
        behind_->release();
    }
    void ack(std::size_t stream, std::span<const std::string> entries) override {
        sign();
        behind_->ack(stream, entries);
        for (const auto& each : entries) {
            const auto offset = kafka::entry_name::parse(each)->offset;
            // What is not in hand any more is passed over.
            if (shares_[stream].in_hand.erase(offset) == 1) record_of(stream).acknowledged.insert(offset);
        }
    }
    [[nodiscard]] keeper* own_keeper() noexcept override { return behind_->own_keeper(); }

private:
    struct share {
        std::string stream;
        std::set<std::int64_t> in_hand{};
        std::int64_t last = -1;  ///< handed out
    };

    [[nodiscard]] record& record_of(std::size_t stream) { return book_->records[{me_->group, shares_[stream].stream}]; }
    void sign() { me_->last_sign = book_->time.now(); }
    void begin_anew() {
        for (share& each : shares_) each = {.stream = each.stream};
    }
    void note(std::size_t stream, const delivery& what) {
        const auto offset = kafka::entry_name::parse(what.entry)->offset;
        shares_[stream].in_hand.insert(offset);
        shares_[stream].last = offset;
        record_of(stream).was_read = true;
    }
    /// Another member has the partition, and keeps it; or this one has it, and got everything that is not settled.
    [[nodiscard]] bool nothing_more_comes(std::size_t stream) {
        share& mine = shares_[stream];
        const auto group = book_->witness.look_at(me_->group);
        const auto holder = group.holders.find(book_->witness.topic_of(mine.stream));
        if (!group.is_stable || !group.members.contains(me_->name) || holder == group.holders.end()) return false;
        if (holder->second != me_->name) {
            mine = {.stream = mine.stream};
            return book_->stays(me_->group, holder->second);
        }
        const auto place = book_->witness.place_of(me_->group, mine.stream);
        if (!place) return false;
        return mine.last + 1 == place->end || place->open() == static_cast<std::int64_t>(mine.in_hand.size());
    }

    std::unique_ptr<reader> behind_;
    std::shared_ptr<ledger> book_;
    std::list<seat>::iterator me_;
    std::vector<share> shares_;
};

class settling_operations final : public operations {
public:
    settling_operations(std::unique_ptr<operations> behind, std::shared_ptr<ledger> book)
        : behind_{std::move(behind)}, book_{std::move(book)} {}

    [[nodiscard]] std::vector<dead_letter_entry> dead_letters(const dead_letter_filter& filter) override {
        return behind_->dead_letters(filter);
    }
    [[nodiscard]] std::size_t count(const dead_letter_filter& filter) override { return behind_->count(filter); }
    [[nodiscard]] letters_outcome replay(const dead_letter_filter& filter) override { return behind_->replay(filter); }
    [[nodiscard]] letters_outcome purge(const dead_letter_filter& filter) override { return behind_->purge(filter); }
    [[nodiscard]] std::vector<group_status> groups() override {
        settle();
        return behind_->groups();
    }
    [[nodiscard]] std::vector<known_group> known_groups() override {
        settle();
        return behind_->known_groups();
    }
    [[nodiscard]] std::unique_ptr<stream_walk> walk(std::string_view stream, std::optional<date_time> from) override {
        return behind_->walk(stream, from);
    }
    std::size_t rename_group(std::string_view from, std::string_view to) override {
        settle();
        until_left(std::string{from});
        const auto renamed = behind_->rename_group(from, to);
        book_->forget(from);
        return renamed;
    }
    std::size_t retire_group(std::string_view stream, std::string_view group) override {
        settle();
        until_left(std::string{group});
        const auto retired = behind_->retire_group(stream, group);
        if (retired > 0) book_->forget(group);
        return retired;
    }
    void abandon_group(std::string_view stream, std::string_view group, date_time now) override {
        behind_->abandon_group(stream, group, now);
    }
    void trim(date_time now) override { behind_->trim(now); }

private:
    static void nap() { std::this_thread::sleep_for(between_looks); }

    [[nodiscard]] bool is_committed(const std::pair<std::string, std::string>& at, const record& what) {
        if (!what.was_read) return true;
        const auto place = book_->witness.place_of(at.first, at.second);
        return place &&
               std::ranges::all_of(what.acknowledged, [&](std::int64_t each) { return place->is_settled(each); });
    }
    /// Until the cluster knows everything that members said.
    void settle() {
        for (const auto& [at, what] : book_->records) {
            EXPECT_TRUE(wait_until([&, &at = at, &what = what] { return is_committed(at, what); }, nap))
                << "group " << at.first << " has not committed what was acknowledged in " << at.second;
        }
    }
    /// Until a group that nobody is in any more is empty for its coordinator, too.
    void until_left(const std::string& group) {
        if (book_->has_members(group)) return;
        EXPECT_TRUE(wait_until([&] { return book_->witness.look_at(group).members.empty(); }, nap))
            << "group " << group << " still has members";
    }

    std::unique_ptr<operations> behind_;
    std::shared_ptr<ledger> book_;
};

class settling_broker final : public broker {
public:
    explicit settling_broker(const kafka_options& options)
        : behind_{make_kafka_broker(options)}, book_{std::make_shared<ledger>(options)} {}

    [[nodiscard]] std::string describe() const override { return behind_->describe(); }
    [[nodiscard]] capabilities can() const override { return behind_->can(); }
    [[nodiscard]] std::unique_ptr<publisher> open_publisher() override { return behind_->open_publisher(); }
    [[nodiscard]] std::unique_ptr<reader> open_reader(const std::vector<std::string>& streams,
                                                      const membership& member) override {
        return std::make_unique<settling_reader>(behind_->open_reader(streams, member), book_, streams, member);
    }
    [[nodiscard]] std::unique_ptr<operations> open_operations() override {
        return std::make_unique<settling_operations>(behind_->open_operations(), book_);
    }

private:
    std::unique_ptr<broker> behind_;
    std::shared_ptr<ledger> book_;
};

}  // namespace

std::unique_ptr<broker> make_settling_kafka(const kafka_options& options) {
    return std::make_unique<settling_broker>(options);
}

}  // namespace sluice::broker::contract
