#include "operate/pages.hpp"

#include <gtest/gtest.h>

#include "operate/request_error.hpp"

namespace sluice::operate {
namespace {

/// Answers `list` and `events` from memory, as a store does.
class listed final : public store::operations_session {
public:
    explicit listed(std::vector<store::outbox_row> rows) : rows_{std::move(rows)} {}

    std::vector<store::outbox_row> list(const store::outbox_filter& filter) override {
        std::vector<store::outbox_row> found;
        for (const store::outbox_row& each : rows_) {
            if ((!filter.upto || each.seq <= *filter.upto) && found.size() < filter.limit) found.push_back(each);
        }
        return found;
    }
    std::map<std::string, store::outbox_counts> outbox_summary() override { return {}; }
    std::optional<store::logged_event> event(std::string_view /*id*/) override { return std::nullopt; }
    std::vector<store::stream_event> events(const store::event_filter& /*filter*/) override { return {}; }
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

TEST(pages, a_position_is_read_back_and_nonsense_is_refused) {
    EXPECT_EQ(to_text(position_from("a:1,b.c:20")), "a:1,b.c:20");
    EXPECT_TRUE(position_from("").empty());
    for (const char* wrong : {"a", "a:", ":1", "a:x", "a:-1", "a:1x", "a:99999999999999999999"}) {
        EXPECT_THROW(static_cast<void>(position_from(wrong)), request_error) << wrong;
    }
}

}  // namespace
}  // namespace sluice::operate
