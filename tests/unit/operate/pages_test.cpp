#include "operate/pages.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <utility>
#include <vector>

#include "operate/request_error.hpp"

namespace sluice::operate {
namespace {

using namespace std::chrono_literals;

/// Answers `list` and `events` from memory, as a store does.
class listed final : public store::operations_session {
public:
    explicit listed(std::vector<store::outbox_row> rows) : rows_{std::move(rows)} {}

    std::vector<store::outbox_row> list(const store::outbox_filter& filter) override {
        std::vector<store::outbox_row> found;
        for (const store::outbox_row& each : rows_) {
            const bool is_within = each.seq > filter.after && (!filter.upto || each.seq <= *filter.upto);
            const bool is_of_broker = filter.target_broker.empty() || filter.target_broker == each.target_broker;
            if (is_within && is_of_broker && found.size() < filter.limit) found.push_back(each);
        }
        return found;
    }
    std::map<std::string, store::outbox_counts> outbox_summary() override { return {}; }
    std::optional<store::logged_event> event(std::string_view /*id*/) override { return std::nullopt; }
    /// Each number is an event, whose type is that of its first row.
    std::vector<store::stream_event> events(const store::event_filter& filter) override {
        std::vector<store::stream_event> found;
        for (const store::outbox_row& each : rows_) {
            if (each.seq <= filter.after || (filter.upto && each.seq > *filter.upto)) continue;
            if (!filter.type.empty() && filter.type != each.type) continue;
            if (found.size() < filter.limit) found.push_back({.seq = each.seq});
        }
        return found;
    }
    std::vector<std::string> streams(std::string_view /*category*/, std::string_view /*after*/,
                                     std::size_t /*limit*/) override {
        return {};
    }
    std::vector<std::string> brokers() override { return {}; }
    store::audit_page audit(std::string_view /*broker*/, store::sequence /*after*/, store::sequence /*upto*/) override {
        return {};
    }
    std::vector<store::confirmation> confirmations(std::string_view /*broker*/, store::sequence /*after*/,
                                                   store::sequence /*upto*/) override {
        return {};
    }
    std::vector<store::located_event> locate(const std::vector<std::string>& /*ids*/) override { return {}; }
    void note_audit(std::string_view /*broker*/, const store::audit_note& /*note*/) override {}
    store::audit_notes noted_audits() override { return {}; }
    std::vector<store::lane_status> lanes() override { return {}; }
    std::size_t retry(const store::outbox_filter& /*filter*/) override { return 0; }
    std::size_t discard(const store::outbox_filter& /*filter*/, std::string_view /*reason*/,
                        date_time /*now*/) override {
        return 0;
    }
    void look_again(std::string_view /*broker*/, store::sequence /*from*/) override {}
    void pause_lanes(std::string_view /*broker*/, const store::lane_pause& /*pause*/) override {}
    bool resume_lanes(std::string_view /*broker*/) override { return false; }
    store::lane_pauses paused_lanes() override { return {}; }
    std::size_t rename_handler(std::string_view /*from*/, std::string_view /*to*/) override { return 0; }
    std::size_t forget_handler(std::string_view /*name*/) override { return 0; }
    std::size_t purge_inbox(date_time /*before*/, std::size_t /*limit*/) override { return 0; }
    std::size_t purge_outcomes(date_time /*before*/, std::size_t /*limit*/) override { return 0; }

private:
    std::vector<store::outbox_row> rows_;
};

store::outbox_row row(store::sequence number, const char* broker, std::int64_t second) {
    return {.seq = number, .target_broker = broker, .created_at = date_time::from_micros(second * 1'000'000)};
}

std::string numbers_of(const page<located_row>& of) {
    std::string text;
    for (const auto& [database, each] : of.elements)
        text += database + std::to_string(each.seq) + each.target_broker + " ";
    return text;
}

TEST(pages, a_number_is_never_split_and_none_is_left_out_although_times_run_backwards) {
    std::vector<open_database> databases;
    databases.push_back(
        {"a", std::make_unique<listed>(std::vector{row(9, "x", 5), row(9, "y", 5), row(8, "x", 7), row(7, "x", 3)})});
    databases.push_back({"b", std::make_unique<listed>(std::vector{row(4, "x", 6), row(3, "x", 1)})});
    store::outbox_filter filter;
    filter.limit = 2;
    std::string all;
    page_position from;
    for (int i = 0; i < 10; ++i) {
        const auto one = page_of_rows(databases, filter, from);
        all += numbers_of(one) + "| ";
        if (!one.has_more) break;
        from = position_from(to_text(one.next));
    }
    EXPECT_EQ(all, "b4x a9x a9y | a8x a7x | b3x | ");
}

/// A clock that goes on by so much at each look.
page_budget ticking(std::chrono::milliseconds tick) {
    auto at = std::make_shared<std::chrono::steady_clock::time_point>();
    return {.time = 100ms, .now = [at, tick] { return *at += tick; }};
}

/// 100,000 rows, of which only the first is for the partner.
std::vector<open_database> one_rare_row() {
    std::vector<store::outbox_row> rows;
    for (store::sequence number = 100'000; number > 0; --number) {
        rows.push_back(row(number, number == 1 ? "partner" : "default", number));
        rows.back().type = number == 1 ? "Rare" : "Frequent";
    }
    std::vector<open_database> databases;
    databases.push_back({"a", std::make_unique<listed>(std::move(rows))});
    return databases;
}

TEST(pages, what_is_rare_is_looked_for_as_long_as_a_page_may_take_and_further_by_the_next_one) {
    const auto databases = one_rare_row();
    store::outbox_filter filter;
    filter.target_broker = "partner";
    filter.limit = 10;
    page_position from;
    int pages = 1;
    for (auto one = page_of_rows(databases, filter, from, ticking(30ms)); one.has_more;
         one = page_of_rows(databases, filter, from, ticking(30ms)), ++pages) {
        ASSERT_TRUE(one.is_cut_short);
        ASSERT_TRUE(one.elements.empty());
        ASSERT_NE(one.next, from);
        from = one.next;
        ASSERT_LT(pages, 1'000);
    }
    EXPECT_GT(pages, 2);
    const auto last = page_of_rows(databases, filter, from, ticking(30ms));
    EXPECT_EQ(numbers_of(last), "a1partner ");
    EXPECT_FALSE(last.is_cut_short);

    const auto patient = page_of_rows(databases, filter, {}, ticking(0ms));
    EXPECT_EQ(numbers_of(patient), "a1partner ");
    EXPECT_FALSE(patient.has_more);
}

TEST(pages, events_are_looked_for_in_the_same_way) {
    const auto databases = one_rare_row();
    store::event_filter filter;
    filter.type = "Rare";
    const auto first = page_of_events(databases, filter, {}, ticking(200ms));
    EXPECT_TRUE(first.is_cut_short);
    EXPECT_EQ(first.next.at("a"), 99'001);
    const auto patient = page_of_events(databases, filter, {}, ticking(0ms));
    ASSERT_EQ(patient.elements.size(), 1U);
    EXPECT_FALSE(patient.has_more);
}

TEST(pages, a_message_and_a_stream_are_found_by_their_keys) {
    const auto databases = one_rare_row();
    store::outbox_filter filter;
    filter.target_broker = "partner";
    filter.stream = "shop::order-1";
    EXPECT_EQ(numbers_of(page_of_rows(databases, filter, {}, ticking(200ms))), "a1partner ");
    filter.stream.clear();
    filter.message_id = "m";
    EXPECT_EQ(numbers_of(page_of_rows(databases, filter, {}, ticking(200ms))), "a1partner ");
    filter.message_id.clear();
    filter.stream = "shop::order";
    EXPECT_TRUE(page_of_rows(databases, filter, {}, ticking(200ms)).is_cut_short);
}

TEST(pages, a_position_is_read_back_and_nonsense_is_refused) {
    EXPECT_EQ(to_text(position_from("a:1,b.c:20")), "a:1,b.c:20");
    EXPECT_TRUE(position_from("").empty());
    for (const char* wrong : {"a", "a:", ":1", "a:x", "a:-1", "a:1x", "a:99999999999999999999"}) {
        EXPECT_THROW(static_cast<void>(position_from(wrong)), request_error) << wrong;
    }
}

}  // namespace
}  // namespace sluice::operate
