#include "command/command_call.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/commit/box_office.hpp"

namespace {

using namespace std::chrono_literals;
using box_office::CountSeats;
using box_office::fixture;
using box_office::OpenShow;
using box_office::Receipt;
using box_office::SellSeats;
using box_office::SellThroughAgent;
using sluice::command::outcome;
using testing::ElementsAre;
using testing::HasSubstr;

struct Name {
    static constexpr sluice::command_of<box_office::Show, sluice::string<3>> contract{};
    sluice::identifier show_id;
};
struct namer {
    std::string operator()(const Name& c, sluice::context& in) const {
        in.repository<box_office::Show>().add(box_office::Show{c.show_id});
        return "too long";
    }
};

// --- results ---

TEST(process, returns_what_the_handler_returns) {
    fixture f;
    auto in = f.context();
    const sluice::identifier id = in.process(OpenShow{.show_id = "s-1"});
    EXPECT_EQ(id, "s-1");
    const Receipt receipt = in.process(SellSeats{.show_id = id, .seats = 3});
    EXPECT_EQ(receipt, (Receipt{.show_id = "s-1", .sold = 3}));
    EXPECT_EQ(in.process(CountSeats{.show_id = id}), std::vector{3});
    static_assert(std::is_void_v<decltype(in.process(SellThroughAgent{}))>);
}

TEST(process, by_name_returns_the_result_as_json_and_null_for_none) {
    fixture f;
    auto in = f.context();
    const auto call = [&](std::string_view command, const char* data) {
        return sluice::json::dump(in.process(command, sluice::json::parse(data)));
    };
    EXPECT_EQ(call("OpenShow", R"({"show_id":"s-1"})"), R"("s-1")");
    EXPECT_EQ(call("SellSeats", R"({"show_id":"s-1","seats":2})"), R"({"show_id":"s-1","sold":2,"note":null})");
    EXPECT_EQ(call("CountSeats", R"({"show_id":"s-1"})"), "[2]");
    EXPECT_EQ(call("SellThroughAgent", R"({"show_id":"s-1"})"), "null");
}

TEST(process, refuses_a_correlation_that_no_store_keeps) {
    fixture f;
    auto in = f.context();
    for (const std::string& id : {std::string(256, 'c'), std::string{"c\0", 2}, std::string{"\xff"}}) {
        try {
            static_cast<void>(in.process(OpenShow{.show_id = "s-1"}, {.correlation_id = id}));
            FAIL() << "took a correlation of " << id.size() << " bytes";
        } catch (const sluice::validation_error& e) {
            ASSERT_EQ(e.violations().size(), 1U);
            EXPECT_EQ(e.violations()[0].field, "correlation_id");
        }
        EXPECT_THROW(static_cast<void>(in.submit(OpenShow{.show_id = "s-1"}, {.correlation_id = id})),
                     sluice::validation_error);
    }
}

TEST(process, refuses_an_extension_that_no_store_keeps) {
    fixture f;
    f.domain.enrich_commands([](const sluice::enrichment_input&) {
        return sluice::json::object{{"tenant", std::string{"a\0", 2}}};
    });
    auto in = f.context();
    EXPECT_THROW(static_cast<void>(in.process(OpenShow{.show_id = "s-1"})), sluice::validation_error);
}

TEST(process, writes_nothing_when_the_result_breaks_its_rules) {
    fixture f;
    f.domain.command_handler<namer, Name>();
    auto in = f.context();
    try {
        static_cast<void>(in.process(Name{.show_id = "s-1"}));
        FAIL();
    } catch (const sluice::validation_error& e) {
        EXPECT_THAT(e.what(), HasSubstr("the result of Name is not valid"));
    }
    EXPECT_EQ(f.sold(), -1);
}

TEST(process, gives_extensions_of_command_enrichers_to_the_handler_and_to_the_event_store) {
    fixture f;
    f.domain.enrich_commands([](const sluice::enrichment_input& input) {
        return sluice::json::object{{"tenant", "acme"}, {"command", std::string{input.name}}};
    });
    std::vector<std::string> seen;
    f.does->hook = [&](sluice::context& in) { seen.push_back(sluice::json::dump(in.extensions())); };
    const std::string written = R"({"tenant":"acme","command":"OpenShow"})";
    f.context().process(OpenShow{.show_id = "s-1"});
    const std::string id = f.context().submit(OpenShow{.show_id = "s-2"});
    EXPECT_EQ(sluice::json::dump(f.metadata_of(id).extensions), written);
    EXPECT_EQ(sluice::command::handle_command(*f.env, f.message_of(id), {"1-0"}, "commands"), outcome::handled);
    EXPECT_THAT(seen, ElementsAre(written, written));
}

// --- submitting ---

TEST(submit, returns_the_id_of_the_message_which_is_the_cause_of_what_it_brings_about) {
    fixture f;
    const std::string id = f.context().submit(OpenShow{.show_id = "s-1"});
    EXPECT_EQ(f.does->runs, 0);
    ASSERT_EQ(f.rows().size(), 1U);
    EXPECT_EQ(f.rows()[0].message_id, id);
    EXPECT_EQ(sluice::command::handle_command(*f.env, f.message_of(id), {"1-0"}, "commands"), outcome::handled);
    EXPECT_EQ(f.metadata_of("box_office::show-s-1-0.1").domain.causation_id, id);
}

TEST(submit, by_name_checks_and_writes_the_same_message) {
    fixture f;
    const std::string id = f.context().submit("OpenShow", sluice::json::object{{"show_id", "s-1"}});
    EXPECT_EQ(f.message_of(id).data(), sluice::json::parse(R"({"show_id":"s-1"})"));
    EXPECT_THROW(f.context().submit("OpenShow", sluice::json::object{{"show", "s-1"}}), sluice::validation_error);
    EXPECT_THROW(f.context().submit("OpenShw", sluice::json::object{}), sluice::usage_error);
    EXPECT_EQ(f.rows().size(), 1U);
}

TEST(submit, joins_the_open_unit_and_is_lost_with_it) {
    fixture f;
    f.does->hook = [](sluice::context& in) { in.submit(SellSeats{.show_id = "s-1"}); };
    f.context().process(OpenShow{.show_id = "s-1"});
    EXPECT_EQ(f.rows().size(), 2U);
    f.does->hook = [](sluice::context& in) {
        in.submit(SellSeats{.show_id = "s-2"});
        throw std::runtime_error{"no"};
    };
    EXPECT_THROW(f.context().process(OpenShow{.show_id = "s-2"}), std::runtime_error);
    EXPECT_EQ(f.rows().size(), 2U);
}

// --- repetition ---

TEST(process, is_repeated_with_a_fresh_unit_and_returns_the_final_value_after_version_conflicts) {
    fixture f;
    f.context().process(OpenShow{.show_id = "s-1"});
    int left = 3;
    f.does->hook = [&](sluice::context& in) {
        static_cast<void>(in.repository<box_office::Show>().get("s-1"));
        if (left-- <= 0) return;
        f.clock.advance(10s);  // the race before is forgotten: the other unit does not wait for the lock of this one
        auto other = f.context();
        sluice::unit_of_work work{other};
        other.repository<box_office::Show>().get("s-1").sell(10);
        work.commit();
    };
    EXPECT_EQ(f.context().process(SellSeats{.show_id = "s-1"}).sold, 31);
    ASSERT_EQ(f.sleeper.slept.size(), 3U);
    EXPECT_EQ(f.sleeper.slept[0], 0ms);
    EXPECT_GE(f.sleeper.slept[1], 25ms);
    EXPECT_GE(f.sleeper.slept[2], 50ms);
}

TEST(process, is_not_repeated_after_a_version_conflict_when_that_is_turned_off) {
    sluice::config::configuration configuration;
    configuration.server.version_retry.enabled = false;
    fixture f{configuration};
    f.does->hook = [](sluice::context&) { throw sluice::expected_version_error{"somebody was faster"}; };
    EXPECT_THROW(f.context().process(OpenShow{.show_id = "s-1"}), sluice::expected_version_error);
    EXPECT_EQ(f.does->runs, 1);
}

TEST(process, is_repeated_after_retryable_trouble_when_that_is_turned_on) {
    sluice::config::configuration configuration;
    configuration.server.transient_retry.enabled = true;
    fixture f{configuration};
    f.does->hook = [&](sluice::context&) {
        if (f.does->runs < 3) throw sluice::store_error{"busy", sluice::error_nature::retryable};
    };
    EXPECT_EQ(f.context().process(OpenShow{.show_id = "s-1"}), "s-1");
    EXPECT_EQ(f.does->runs, 3);
    EXPECT_EQ(f.sleeper.slept.size(), 2U);
}

TEST(process, is_never_repeated_when_its_effect_is_in_doubt) {
    sluice::config::configuration configuration;
    configuration.server.transient_retry.enabled = true;
    fixture f{configuration};
    f.does->hook = [&](sluice::context&) { throw sluice::store_error{"lost", sluice::error_nature::in_doubt}; };
    EXPECT_THROW(f.context().process(OpenShow{.show_id = "s-1"}), sluice::store_error);
    EXPECT_EQ(f.does->runs, 1);
}

TEST(process, is_not_repeated_when_the_next_attempt_would_pass_the_deadline) {
    fixture f;
    f.does->hook = [](sluice::context&) { throw sluice::expected_version_error{"somebody was faster"}; };
    EXPECT_THROW(f.context().process(OpenShow{.show_id = "s-1"}, {.timeout = 20ms}), sluice::expected_version_error);
    EXPECT_EQ(f.does->runs, 2) << "the first retry does not wait";
}

}  // namespace
