#include <gmock/gmock.h>

#include "envelope/envelope.hpp"
#include "projection/projection.hpp"
#include "store/memory/memory_database.hpp"
#include "support/depot.hpp"
#include "support/recorded_spans.hpp"

namespace {

using depot::CrateSummary;
using depot::CustomerTotals;
using sluice::command::outcome;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class projector : public ::testing::Test {
protected:
    projector() { depot_.create_tables(); }

    /// Hands an event of the log to a projector, as its subscription does.
    outcome hand(const std::string& table, const sluice::store::stream_event& logged) {
        const auto m =
            sluice::message::decode(sluice::envelope::render_internal(logged.event.data, logged.event.metadata));
        return sluice::projection::project(*depot_.env, depot_.projector(table), m, {"1-0"});
    }
    /// The whole log, but for types that the projector does not read.
    void hand_all(const std::string& table) {
        for (const auto& each : depot_.log()) {
            const auto* event = depot_.domain.declared().event_by_type(each.event.type);
            if (depot_.projector(table).on.contains(event->cpp_name)) static_cast<void>(hand(table, each));
        }
    }
    [[nodiscard]] sluice::view<CrateSummary> crates() { return depot_.context().view<CrateSummary>(); }
    [[nodiscard]] sluice::view<CustomerTotals> totals() { return depot_.context().view<CustomerTotals>(); }
    template <class Selection>
    [[nodiscard]] static std::vector<std::string> ids(const Selection& chosen) {
        std::vector<std::string> all;
        for (const CrateSummary& each : chosen.rows()) all.push_back(each.crate_id.str());
        return all;
    }
    template <class Act>
    [[nodiscard]] static std::string error_of(const Act& act) {
        try {
            act();
        } catch (const sluice::error& e) {
            return e.what();
        }
        return "no error";
    }

    depot::fixture depot_{sluice::store::make_memory_database("depot")};
};

TEST_F(projector, writes_rows_from_events_of_several_aggregates) {
    depot_.pack("c-1");
    depot_.add("c-1", 3);
    depot_.commit([](sluice::context& in) {
        auto& customer = in.repository<depot::Customer>().add(depot::Customer{"ada"});
        customer.rename("Ada");
    });
    hand_all("crate_summary");
    hand_all("customer_totals");
    EXPECT_EQ(crates().get("c-1").pieces, 3);
    EXPECT_THAT(crates().get("c-1").additions, ElementsAre(3));
    const CustomerTotals ada = totals().get("ada");
    EXPECT_EQ(ada.crates, 1);
    EXPECT_EQ(ada.pieces, 3);
    EXPECT_EQ(ada.name, "Ada");
    EXPECT_EQ(ada.last_message, "depot::customer-ada-0.1") << "a projector may look at the message";
}

TEST_F(projector, is_a_span_in_the_trace_of_the_event) {
    const sluice::testing::recorded_spans recorded{depot_.env->tracer(), depot_.env->time(), depot_.random};
    depot_.pack("c-1");
    hand_all("crate_summary");
    const auto created = recorded.named("create depot::crate");
    const auto projected = recorded.named("project crate_summary");
    ASSERT_EQ(created.size(), 1U);
    ASSERT_EQ(projected.size(), 1U);
    EXPECT_EQ(projected[0].context.trace_id, created[0].context.trace_id);
    EXPECT_EQ(projected[0].parent_id, created[0].context.parent_id);
    EXPECT_EQ(sluice::testing::text_of(projected[0], "sluice.database"), "default");
}

// The reference applies a redelivery twice unless it is told otherwise.
TEST_F(projector, applies_a_redelivered_event_once_without_being_asked_to) {
    depot_.pack("c-1");
    depot_.add("c-1", 3);
    hand_all("crate_summary");
    EXPECT_EQ(hand("crate_summary", depot_.log().back()), outcome::duplicate);
    EXPECT_EQ(crates().get("c-1").pieces, 3);
}

struct renamed_projector : depot::crate_summary_projector {
    using depot::crate_summary_projector::operator();
};

TEST_F(projector, goes_on_where_it_was_when_its_class_is_renamed) {
    sluice::projection::require_read_models(*depot_.env);
    depot_.pack("c-1");
    depot_.add("c-1", 3);
    hand_all("crate_summary");
    const auto log = depot_.log();

    sluice::domain renamed{"depot"};
    renamed.aggregate<depot::Crate>()
        .events<depot::CratePacked, depot::ItemAdded, depot::CrateShipped, depot::CrateBurnt>();
    renamed.projector<renamed_projector, CrateSummary, depot::CratePacked, depot::ItemAdded>();
    depot::fixture next{depot_.database, std::move(renamed)};
    sluice::projection::require_read_models(*next.env);
    const auto& by = next.projector("crate_summary");
    EXPECT_EQ(next.env->reader_of(by), depot_.projector("crate_summary").name) << "the group belongs to the table";
    for (const auto& each : log) {
        const auto m = sluice::message::decode(sluice::envelope::render_internal(each.event.data, each.event.metadata));
        EXPECT_EQ(sluice::projection::project(*next.env, by, m, {"1-0"}), outcome::duplicate);
    }
    EXPECT_EQ(crates().get("c-1").pieces, 3);
}

TEST_F(projector, shares_its_group_with_no_handler_that_got_the_former_name) {
    sluice::projection::require_read_models(*depot_.env);
    sluice::domain renamed{"depot"};
    renamed.aggregate<depot::Crate>()
        .events<depot::CratePacked, depot::ItemAdded, depot::CrateShipped, depot::CrateBurnt>();
    renamed.projector<renamed_projector, CrateSummary, depot::CratePacked>();
    struct another {
        void operator()(const depot::CratePacked&, sluice::context&) const {}
    };
    renamed.event_handler<another, depot::CratePacked>({.name = depot_.projector("crate_summary").name});
    depot::fixture next{depot_.database, std::move(renamed)};
    EXPECT_THAT(
        error_of([&] { sluice::projection::require_read_models(*next.env); }),
        HasSubstr("is fed by consumer group `" + depot_.projector("crate_summary").name + "`, which is the name"));
}

TEST_F(projector, leaves_neither_row_nor_mark_of_an_event_that_failed) {
    depot_.pack("c-1");
    depot_.add("c-1", 3);
    const auto log = depot_.log();
    EXPECT_THROW(static_cast<void>(hand("crate_summary", log.at(1))), sluice::not_found_error) << "there is no row yet";
    static_cast<void>(hand("crate_summary", log.at(0)));
    EXPECT_EQ(hand("crate_summary", log.at(1)), outcome::handled);
    EXPECT_EQ(crates().get("c-1").pieces, 3);
}

TEST_F(projector, takes_the_entry_for_the_mark_of_a_message_without_id) {
    const auto nameless = sluice::message::decode(
        R"({"data":{"crate_id":"c-1","customer":"ada"},"metadata":{"headers":{"type":"Depot.CratePacked.v1"}}})");
    const auto& totals_projector = depot_.projector("customer_totals");
    EXPECT_EQ(sluice::projection::project(*depot_.env, totals_projector, nameless, {"7-0"}), outcome::handled);
    EXPECT_EQ(sluice::projection::project(*depot_.env, totals_projector, nameless, {"7-0"}), outcome::duplicate);
    EXPECT_EQ(totals().get("ada").crates, 1);
}

TEST_F(projector, loses_no_change_of_a_row_that_another_unit_changes_at_the_same_time) {
    depot_.pack("c-1");
    depot_.pack("c-2");
    const auto log = depot_.log();
    // The second event is handled completely while the first one's projector is at work.
    struct meddling {
        std::function<void()>* meddle;
        void operator()(const depot::CratePacked& e, sluice::read_model<CustomerTotals>& rows) const {
            rows.upsert(e.customer.view(), [&](CustomerTotals& totals) {
                ++totals.crates;
                if (auto once = std::exchange(*meddle, {})) once();
            });
        }
    };
    std::function<void()> meddle;
    sluice::domain domain{"depot"};
    domain.aggregate<depot::Crate>().events<depot::CratePacked>();
    domain.projector<meddling, CustomerTotals, depot::CratePacked>({}, meddling{&meddle});
    depot::fixture other{depot_.database, std::move(domain)};
    const auto project = [&](const sluice::store::stream_event& logged) {
        const auto m =
            sluice::message::decode(sluice::envelope::render_internal(logged.event.data, logged.event.metadata));
        return sluice::projection::project(*other.env, other.projector("customer_totals"), m, {"1-0"});
    };
    meddle = [&] { EXPECT_EQ(project(log.at(1)), outcome::handled); };
    EXPECT_EQ(project(log.at(0)), outcome::handled);
    EXPECT_EQ(totals().get("ada").crates, 2);
}

TEST_F(projector, waits_for_a_rebuild_when_events_are_older_than_its_table) {
    depot::fixture late{sluice::store::make_memory_database("late")};
    late.pack("c-1");
    late.create_tables();
    const auto logged = late.log().front();
    const auto m = sluice::message::decode(sluice::envelope::render_internal(logged.event.data, logged.event.metadata));
    try {
        static_cast<void>(sluice::projection::project(*late.env, late.projector("crate_summary"), m, {"1-0"}));
        FAIL() << "it was applied";
    } catch (const sluice::store_error& e) {
        EXPECT_TRUE(e.retryable()) << "an outage, which costs the message no attempt";
        EXPECT_THAT(e.what(), HasSubstr("sluice projection rebuild crate_summary"));
    }
}

TEST_F(projector, refuses_a_row_that_breaks_a_rule_or_that_no_table_can_hold) {
    struct careless {
        std::string customer;
        void operator()(const depot::CratePacked&, sluice::read_model<CrateSummary>& rows) const {
            rows.put({.crate_id = "c-1", .customer = customer});
        }
    };
    depot_.pack("c-1");
    const auto logged = depot_.log().front();
    const auto project = [&](const std::string& customer) {
        sluice::domain domain{"depot"};
        domain.aggregate<depot::Crate>().events<depot::CratePacked>();
        domain.projector<careless, CrateSummary, depot::CratePacked>({}, careless{customer});
        depot::fixture other{depot_.database, std::move(domain)};
        const auto m =
            sluice::message::decode(sluice::envelope::render_internal(logged.event.data, logged.event.metadata));
        static_cast<void>(sluice::projection::project(*other.env, other.projector("crate_summary"), m, {"1-0"}));
    };
    EXPECT_THAT(error_of([&] { project(std::string("a\0b", 3)); }),
                HasSubstr("customer: must not contain the character U+0000"));
    EXPECT_THAT(error_of([&] { project("\xff"); }), HasSubstr("customer"));
    EXPECT_EQ(error_of([&] { project("ada"); }), "no error");
}

TEST_F(projector, feeds_a_view_that_can_be_asked) {
    for (const auto* crate : {"c-1", "c-2", "c-3"}) depot_.pack(crate, crate == std::string{"c-2"} ? "bob" : "ada");
    depot_.add("c-1", 1);
    depot_.add("c-3", 5);
    depot_.commit([](sluice::context& in) {
        in.repository<depot::Crate>().get("c-1").ship(sluice::date_time::parse("2026-11-23T08:00:00Z"));
    });
    hand_all("crate_summary");
    auto depot = depot_.context();
    // [view]
    const auto open = depot.view<CrateSummary>()
                          .where(&CrateSummary::customer, sluice::equals("ada"))
                          .where(&CrateSummary::shipped_at, sluice::missing())
                          .order_by(&CrateSummary::pieces, sluice::direction::descending)
                          .limit(20);
    const std::vector<CrateSummary> page = open.rows();
    const std::int64_t all_of_them = open.count();
    // [/view]
    ASSERT_EQ(page.size(), 1U);
    EXPECT_EQ(page.front().crate_id, "c-3");
    EXPECT_EQ(all_of_them, 1);
    EXPECT_THAT(ids(crates().all()), ElementsAre("c-1", "c-2", "c-3"));
    EXPECT_THAT(ids(crates().order_by("pieces", sluice::direction::descending)), ElementsAre("c-3", "c-1", "c-2"));
    EXPECT_THAT(ids(crates().where(&CrateSummary::at, sluice::equals(depot::stage::shipped))), ElementsAre("c-1"));
    EXPECT_THAT(ids(crates().where("pieces", sluice::less(5)).order_by("customer").limit(1).offset(1)),
                ElementsAre("c-2"));
    EXPECT_EQ(crates().count(), 3);
    EXPECT_EQ(crates().find("c-9"), std::nullopt);
    EXPECT_THAT(error_of([&] { static_cast<void>(crates().get("c-9")); }), HasSubstr("c-9"));
    EXPECT_EQ(crates().where("customer", sluice::equals("nobody")).first(), std::nullopt);
}

TEST_F(projector, says_what_is_wrong_with_a_question) {
    EXPECT_THAT(error_of([&] { static_cast<void>(crates().where("custumer", sluice::equals("a")).rows()); }),
                HasSubstr("did you mean `customer`?"));
    EXPECT_THAT(error_of([&] { static_cast<void>(crates().where("pieces", sluice::equals("many")).count()); }),
                HasSubstr("a whole number"));
    EXPECT_THAT(error_of([&] { static_cast<void>(crates().where("additions", sluice::equals(1)).rows()); }),
                HasSubstr("JSON"));
    EXPECT_THAT(error_of([&] { static_cast<void>(crates().order_by("additions").rows()); }), HasSubstr("JSON"));
    sluice::domain bare{"bare"};
    depot::fixture without{sluice::store::make_memory_database("bare"), std::move(bare)};
    EXPECT_THAT(error_of([&] { static_cast<void>(without.context().view<CrateSummary>()); }),
                HasSubstr("no projector"));
}

// What a declaration can get wrong.
template <class Projector, class Row, class... Events>
concept can_be_declared = requires(const Projector& projector, sluice::read_model<Row>& rows, const Events&... events) {
    (projector(events, rows), ...);
};
static_assert(can_be_declared<depot::crate_summary_projector, CrateSummary, depot::CratePacked>);
static_assert(!can_be_declared<depot::crate_summary_projector, CrateSummary, depot::CustomerNamed>);
static_assert(!sluice::projection_type<depot::CratePacked>, "an event is no read model");

}  // namespace
