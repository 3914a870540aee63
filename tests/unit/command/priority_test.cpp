#include <sluice/priority.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/commit/box_office.hpp"

namespace {

using box_office::fixture;
using box_office::OpenShow;
using box_office::SellSeats;
using box_office::SellThroughAgent;
using box_office::Show;
using sluice::processing_priority;
using sluice::command::outcome;
using testing::ElementsAre;

namespace priority = sluice::priority;

std::vector<int> priorities(fixture& f) {
    std::vector<int> all;
    for (const auto& row : f.rows()) all.push_back(row.priority);
    return all;
}

TEST(processing_priority, has_names_for_the_usual_ones) {
    EXPECT_THAT((std::vector{priority::bulk, priority::low, priority::normal, priority::high, priority::critical}),
                ElementsAre(-100, -50, 0, 50, 100));
}

TEST(processing_priority, nests_and_comes_back_also_after_an_exception) {
    fixture f;
    auto in = f.context();
    EXPECT_EQ(in.priority(), priority::normal);
    {
        const processing_priority outer{in, priority::low};
        EXPECT_EQ(in.priority(), priority::low);
        try {
            const processing_priority inner{in, 7};
            EXPECT_EQ(in.priority(), 7);
            throw std::runtime_error{"no"};
        } catch (const std::runtime_error&) {
            EXPECT_EQ(in.priority(), priority::low);
        }
    }
    EXPECT_EQ(in.priority(), priority::normal);
}

TEST(processing_priority, belongs_to_one_context) {
    fixture f;
    auto in = f.context();
    const processing_priority scope{in, priority::low};
    EXPECT_EQ(f.context().priority(), priority::normal);
}

TEST(processing_priority, is_carried_by_all_events_of_a_command_and_does_not_leak_into_the_next) {
    fixture f;
    auto in = f.context();
    in.process(OpenShow{.show_id = "s-1"});
    {
        const processing_priority scope{in, priority::bulk};
        in.process(SellThroughAgent{.show_id = "s-1"});
        in.submit(SellSeats{.show_id = "s-1"});
    }
    in.process(SellSeats{.show_id = "s-1"});
    EXPECT_THAT(priorities(f), ElementsAre(0, -100, -100, 0));
}

TEST(processing_priority, is_beaten_by_an_explicit_one_be_it_zero) {
    fixture f;
    auto in = f.context();
    const processing_priority scope{in, priority::low};
    in.process(OpenShow{.show_id = "s-1"}, {.priority = 0});
    in.process(OpenShow{.show_id = "s-2"}, {.priority = 123});
    in.process(OpenShow{.show_id = "s-3"});
    EXPECT_THAT(priorities(f), ElementsAre(0, 123, -50));
}

TEST(processing_priority, holds_for_what_is_recorded_in_it_within_an_open_unit) {
    fixture f;
    auto in = f.context();
    sluice::unit_of_work work{in};
    in.repository<Show>().add(Show{"before"});
    {
        const processing_priority scope{in, priority::high};
        in.repository<Show>().add(Show{"within"});
    }
    in.repository<Show>().add(Show{"after"});
    work.commit();
    EXPECT_THAT(priorities(f), ElementsAre(0, 50, 0));
}

TEST(processing_priority, lets_no_unit_commit_whose_events_an_enricher_refused) {
    fixture f;
    bool refuse = false;
    f.domain.enrich_events([&](const sluice::enrichment_input&) -> sluice::json::object {
        if (refuse) throw std::runtime_error{"no tenant"};
        return {};
    });
    auto in = f.context();
    sluice::unit_of_work work{in};
    {
        const processing_priority scope{in, priority::high};
        in.repository<Show>().add(Show{"s-1"});
        refuse = true;
    }
    refuse = false;
    EXPECT_THROW(work.commit(), sluice::usage_error);
    EXPECT_EQ(f.sold(), -1);
}

TEST(processing_priority, travels_with_a_submitted_command_and_holds_around_its_handler) {
    fixture f;
    auto in = f.context();
    std::string id;
    {
        const processing_priority scope{in, priority::low};
        id = in.submit(OpenShow{.show_id = "s-1"});
    }
    EXPECT_EQ(f.metadata_of(id).domain.priority, -50);
    f.does->hook = [](sluice::context& handler) { EXPECT_EQ(handler.priority(), -50); };
    EXPECT_EQ(sluice::command::handle_command(*f.env, f.message_of(id), {"1-0"}, "commands"), outcome::handled);
    EXPECT_THAT(priorities(f), ElementsAre(-50, -50)) << "the command, and the event that it brought about";
}

}  // namespace
