#include <gtest/gtest.h>

#include "commit/foreign_event.hpp"
#include "envelope/envelope.hpp"
#include "library.hpp"

namespace {

using library::Book;
using library::BuyBook;
using library::LendBook;

std::vector<std::string> as_text(const std::vector<sluice::store::outbox_row>& rows) {
    std::vector<std::string> result;
    for (const auto& row : rows) {
        result.push_back(row.message_id + " " + row.target_broker + " " + sluice::store::to_string(row.status));
    }
    std::sort(result.begin(), result.end());
    return result;
}

TEST(fork, gives_a_published_event_one_row_for_each_broker_and_an_internal_event_one) {
    library::fixture f;
    f.context().process(BuyBook{.isbn = "b-1", .lend_at_once = true});
    EXPECT_EQ(as_text(f.rows()), (std::vector<std::string>{
                                     "public_library::book-b-1-0.1 default pending",
                                     "public_library::book-b-1-0.2 default pending",
                                     "public_library::book-b-1-0.2 partner pending",
                                 }));
}

TEST(fork, gives_a_partner_only_the_events_that_its_lane_wants) {
    const auto rows_with = [](sluice::config::lane_options lane) {
        library::fixture f;
        sluice::config::configuration configuration;
        configuration.outbox.external_brokers = {"partner", "other"};
        configuration.outbox.lanes["partner"] = std::move(lane);
        sluice::commit::adapters parts;
        parts.databases.emplace("default", f.database);
        sluice::commit::environment env{f.domain.declared(), configuration, parts, f.clock, f.random};
        sluice::command::make_context(env).process(BuyBook{.isbn = "b-1", .lend_at_once = true});
        std::vector<std::string> external;
        for (const auto& row : f.rows()) {
            if (row.target_broker != "default") external.push_back(row.target_broker);
        }
        return external;
    };
    using brokers = std::vector<std::string>;
    EXPECT_EQ(rows_with({}), (brokers{"partner", "other"}));
    EXPECT_EQ(rows_with({.events = {{"BookLent"}}, .aggregates = {{"*::book"}}}), (brokers{"partner", "other"}));
    EXPECT_EQ(rows_with({.events = {{"BookReturned"}}}), brokers{"other"}) << "no row at all, not one that waits";
    EXPECT_EQ(rows_with({.aggregates = {{"Shelf"}}}), brokers{"other"});
}

TEST(fork, writes_no_external_row_without_external_brokers) {
    library::fixture f;
    sluice::commit::adapters parts;
    parts.databases.emplace("default", f.database);
    sluice::commit::environment env{f.domain.declared(), {}, parts, f.clock, f.random};
    sluice::command::make_context(env).process(BuyBook{.isbn = "b-1", .lend_at_once = true});
    for (const auto& row : f.rows()) EXPECT_EQ(row.target_broker, "default");
    EXPECT_EQ(f.rows().size(), 2U);
}

TEST(fork, leaves_nothing_when_the_handler_fails) {
    library::fixture f;
    EXPECT_THROW(f.context().process(LendBook{.isbn = "missing", .reader = "ada"}), sluice::not_found_error);
    EXPECT_TRUE(f.rows().empty());
}

TEST(fork, numbers_events_by_the_version_they_commit_with) {
    library::fixture f;
    auto context = f.context();
    context.process(BuyBook{.isbn = "b-1"});
    context.process(LendBook{.isbn = "b-1", .reader = "ada"});
    context.process(LendBook{.isbn = "b-1", .reader = "bob"});
    EXPECT_TRUE(f.event("public_library::book-b-1-1.1"));
    EXPECT_TRUE(f.event("public_library::book-b-1-2.1"));
}

TEST(fork, fills_the_metadata) {
    library::fixture f;
    f.context().process(BuyBook{.isbn = "b-1", .lend_at_once = true},
                        {.priority = -50,
                         .correlation_id = "0123456789abcdef0123456789abcdef",
                         .traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"});
    const auto event = f.event("public_library::book-b-1-0.2");
    ASSERT_TRUE(event);
    EXPECT_EQ(event->type, "PublicLibrary.BookLent.v2");
    EXPECT_EQ(event->stream, "public_library::book-b-1");
    EXPECT_EQ(event->stream_category, "public_library::book");
    EXPECT_EQ(event->data, R"({"isbn":"b-1","reader":"ada"})");

    const auto metadata = sluice::envelope::decode_metadata(sluice::json::parse(event->metadata));
    EXPECT_EQ(metadata.headers.id, "public_library::book-b-1-0.2");
    EXPECT_EQ(metadata.headers.time->to_string(), "2026-11-23T07:56:25.500000+00:00");
    EXPECT_EQ(metadata.headers.traceparent->to_w3c(), "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
    EXPECT_EQ(metadata.domain.fqn, "library.BookLent");
    EXPECT_EQ(metadata.domain.version, 2);
    EXPECT_EQ(metadata.domain.sequence_id, "0.2");
    EXPECT_EQ(metadata.domain.correlation_id, "0123456789abcdef0123456789abcdef");
    EXPECT_EQ(metadata.checksum, sluice::envelope::checksum_of(sluice::json::parse(event->data)));
    for (const auto& row : f.rows()) EXPECT_EQ(row.priority, -50);
}

TEST(fork, names_the_inner_command_as_the_cause_of_its_own_events) {
    library::fixture f;
    f.context().process(BuyBook{.isbn = "b-1", .lend_at_once = true});
    const auto cause = [&](const char* id) {
        return *sluice::envelope::decode_metadata(sluice::json::parse(f.event(id)->metadata)).domain.causation_id;
    };
    const auto correlation = [&](const char* id) {
        return *sluice::envelope::decode_metadata(sluice::json::parse(f.event(id)->metadata)).domain.correlation_id;
    };
    EXPECT_NE(cause("public_library::book-b-1-0.1"), cause("public_library::book-b-1-0.2"));
    EXPECT_EQ(correlation("public_library::book-b-1-0.1"), correlation("public_library::book-b-1-0.2"));
}

TEST(fork, makes_a_new_correlation_for_each_command_of_the_application) {
    library::fixture f;
    auto context = f.context();
    context.process(BuyBook{.isbn = "a"});
    context.process(BuyBook{.isbn = "b"});
    const auto correlation = [&](const char* id) {
        return *sluice::envelope::decode_metadata(sluice::json::parse(f.event(id)->metadata)).domain.correlation_id;
    };
    EXPECT_EQ(correlation("public_library::book-a-0.1").size(), 32U);
    EXPECT_NE(correlation("public_library::book-a-0.1"), correlation("public_library::book-b-0.1"));
}

TEST(fork, runs_enrichers_in_registration_order) {
    auto domain = library::make_domain();
    domain.enrich_events([](const sluice::enrichment_input& input) {
        return sluice::json::object{{"who", "first"},
                                    {"event", std::string{input.name} + "/" + std::string{input.identity}}};
    });
    domain.enrich_events([](const sluice::enrichment_input& input) {
        return sluice::json::object{{"who", "second"}, {"tenant", *input.in.extensions().find("tenant")}};
    });
    domain.enrich_commands([](const sluice::enrichment_input&) { return sluice::json::object{{"tenant", "acme"}}; });
    library::fixture f{domain};
    f.context().process(BuyBook{.isbn = "b-1"});
    const auto metadata =
        sluice::envelope::decode_metadata(sluice::json::parse(f.event("public_library::book-b-1-0.1")->metadata));
    EXPECT_EQ(sluice::json::dump(metadata.extensions), R"({"who":"second","event":"BookBought/b-1","tenant":"acme"})");
}

/// The metadata of the lending, by a domain that has something more to say about it.
sluice::message_metadata lending_by(const sluice::domain& domain) {
    library::fixture f{domain};
    f.context().process(BuyBook{.isbn = "b-1", .lend_at_once = true});
    return sluice::envelope::decode_metadata(sluice::json::parse(f.event("public_library::book-b-1-0.2")->metadata));
}

sluice::json::object without_reader(sluice::json::object data) {
    data.erase("reader");
    return data;
}

TEST(fork, stores_older_versions_for_partners_with_the_event) {
    auto domain = library::make_domain();
    domain.also_published<library::BookLent, sluice::as_version<1>>(without_reader);
    library::fixture f{domain};
    f.context().process(BuyBook{.isbn = "b-1", .lend_at_once = true});
    EXPECT_EQ(f.rows().size(), 3U) << "an older version is no row of its own";
    const auto event = f.event("public_library::book-b-1-0.2");
    EXPECT_EQ(event->type, "PublicLibrary.BookLent.v2");
    EXPECT_EQ(event->data, R"({"isbn":"b-1","reader":"ada"})");
    const auto messages = sluice::envelope::render_for_partner(event->data, event->metadata, {});
    ASSERT_EQ(messages.size(), 2U);
    const auto old = sluice::message::decode(messages[1].body);
    EXPECT_EQ(old.id(), "public_library::book-b-1-0.2~v1");
    EXPECT_EQ(old.type().text(), "PublicLibrary.BookLent.v1");
    EXPECT_EQ(sluice::json::dump(old.data()), R"({"isbn":"b-1"})");
}

TEST(fork, stores_older_versions_with_events_of_an_own_transaction_too) {
    auto domain = library::make_domain();
    domain.also_published<library::BookLent, sluice::as_version<1>>(without_reader);
    library::fixture f{domain};
    const auto in = f.context();
    const std::string id = "c-1";
    const std::optional<sluice::trace_parent> traceparent;
    const std::optional<std::string> no_origin;
    const sluice::detail::provenance from{in, id, id, traceparent, 0, no_origin};
    const auto prepared = sluice::commit::prepare_foreign_event(*f.env, "library::BookLent", "b-1",
                                                                R"({"isbn":"b-1","reader":"ada"})", from);
    EXPECT_NE(prepared.event.at(3).event.metadata.find(R"("_also_published":{"1":{"isbn":"b-1"}})"), std::string::npos);
}

/// The library with a broker that takes messages of this size.
struct narrow_library {
    /// A provider whose brokers take what they are told.
    class kind_of_broker final : public sluice::config::broker_provider {
    public:
        [[nodiscard]] std::string_view name() const override { return "narrow"; }
        [[nodiscard]] sluice::config::address_use address() const override {
            return sluice::config::address_use::unused;
        }
        [[nodiscard]] std::size_t largest_message(const sluice::config::option_texts& options) const override {
            return std::stoul(options.at("max_message_bytes"));
        }
    };

    explicit narrow_library(const char* name, std::size_t most, const sluice::config::lane_options& partner = {}) {
        sluice::config::configuration configuration;
        configuration.outbox.external_brokers = {"partner"};
        configuration.outbox.lanes["partner"] = partner;
        configuration.brokers[name] = {
            .name = name, .options = {{"max_message_bytes", std::to_string(most)}}, .kind = &kind};
        sluice::commit::adapters parts;
        parts.databases.emplace("default", f.database);
        env =
            std::make_unique<sluice::commit::environment>(f.domain.declared(), configuration, parts, f.clock, f.random);
    }

    std::string lend() const {
        auto in = sluice::command::make_context(*env);
        try {
            in.process(BuyBook{.isbn = "b-1", .lend_at_once = true});
            return {};
        } catch (const sluice::validation_error& e) {
            return e.what();
        }
    }

    kind_of_broker kind;
    library::fixture f;
    std::unique_ptr<sluice::commit::environment> env;
};

TEST(fork, refuses_an_event_that_one_of_its_brokers_can_never_take) {
    std::size_t internal = 0;
    std::size_t external = 0;
    {
        narrow_library wide{"partner", 1'000'000};
        EXPECT_EQ(wide.lend(), "");
        const auto event = *wide.f.event("public_library::book-b-1-0.2");
        internal = sluice::envelope::render_internal(event.data, event.metadata).size();
        external = sluice::envelope::render_external(event.data, event.metadata).size();
        ASSERT_LT(external, internal);
    }
    EXPECT_EQ((narrow_library{"default", internal}.lend()), "");
    EXPECT_EQ((narrow_library{"partner", external}.lend()), "") << "it is the external form that leaves";
    const narrow_library narrow{"partner", external - 1};
    const std::string refusal = narrow.lend();
    for (const std::string& part :
         {std::string{"BookLent"}, std::to_string(external), std::to_string(external - 1),
          std::string{"broker `partner`"}, std::string{"brokers.partner.max_message_bytes"}}) {
        EXPECT_NE(refusal.find(part), std::string::npos) << refusal;
    }
    auto database = narrow.f.database;
    EXPECT_TRUE(database->open_operations()->list({.limit = 10}).empty()) << "nothing of the unit was written";
    EXPECT_NE((narrow_library{"default", 400}.lend()).find("broker `default`"), std::string::npos);
}

TEST(fork, refuses_an_event_that_is_too_large_in_the_form_of_its_lane_and_names_the_limit) {
    sluice::config::lane_options lane;
    lane.terms.form = sluice::envelope::message_form::cloudevents_structured;
    lane.terms.redact = {"reader"};
    lane.terms.redact_with = std::string(5000, 'x');
    narrow_library wide{"partner", 1'000'000, lane};
    ASSERT_EQ(wide.lend(), "");
    const auto event = *wide.f.event("public_library::book-b-1-0.2");
    const auto size = sluice::envelope::render_for_partner(event.data, event.metadata, lane.terms).at(0).body.size();
    ASSERT_GT(size, event.data.size() + event.metadata.size()) << "larger than what is stored";

    EXPECT_NE((narrow_library{"partner", size - 1, lane}.lend()).find("; raise brokers.partner.max_message_bytes"),
              std::string::npos);
    lane.max_message_bytes = size - 1;
    EXPECT_NE(
        (narrow_library{"partner", 1'000'000, lane}.lend()).find("; raise outbox.lanes.partner.max_message_bytes"),
        std::string::npos);
    lane.max_message_bytes = size;
    EXPECT_EQ((narrow_library{"partner", 1'000'000, lane}.lend()), "");
}

TEST(fork, stores_no_older_versions_when_there_is_no_partner) {
    auto domain = library::make_domain();
    domain.also_published<library::BookLent, sluice::as_version<1>>(without_reader);
    library::fixture f{domain};
    sluice::commit::adapters parts;
    parts.databases.emplace("default", f.database);
    sluice::commit::environment env{f.domain.declared(), {}, parts, f.clock, f.random};
    sluice::command::make_context(env).process(BuyBook{.isbn = "b-1", .lend_at_once = true});
    EXPECT_EQ(f.event("public_library::book-b-1-0.2")->metadata.find("_also_published"), std::string::npos);
}

TEST(fork, keeps_older_versions_apart_from_what_enrichers_hand_on) {
    auto domain = library::make_domain();
    domain.enrich_events([](const sluice::enrichment_input&) {
        return sluice::json::object{{"_also_published", sluice::json::object{{"1", sluice::json::object{}}}}};
    });
    EXPECT_TRUE(lending_by(domain).extensions.empty()) << "these are those of another event";
    domain.also_published<library::BookLent, sluice::as_version<1>>(without_reader);
    EXPECT_EQ(sluice::json::dump(lending_by(domain).extensions), R"({"_also_published":{"1":{"isbn":"b-1"}}})");
}

std::string failure_to_publish(const std::function<sluice::json::object(sluice::json::object)>& convert) {
    auto domain = library::make_domain();
    domain.also_published<library::BookLent, sluice::as_version<1>>(convert);
    library::fixture f{domain};
    try {
        f.context().process(BuyBook{.isbn = "b-1", .lend_at_once = true});
    } catch (const sluice::usage_error& e) {
        EXPECT_TRUE(f.rows().empty());
        return e.what();
    }
    return {};
}

TEST(fork, fails_the_command_when_an_older_version_cannot_be_made) {
    EXPECT_EQ(failure_to_publish([](sluice::json::object data) {
                  data.set("borrower", data.at("borrower"));
                  return data;
              }),
              "event `BookLent` of version 2 cannot be published as version 1, too: the JSON object has no key "
              "'borrower'");
    EXPECT_EQ(failure_to_publish([](sluice::json::object data) {
                  data.set("pages", sluice::json::number{"many"});
                  return data;
              }),
              "event `BookLent` of version 2 cannot be published as version 1, too: pages: is not a JSON number");
}

TEST(fork, fails_the_command_when_an_enricher_throws) {
    auto domain = library::make_domain();
    domain.enrich_events(
        [](const sluice::enrichment_input&) -> sluice::json::object { throw std::runtime_error{"no tenant"}; });
    library::fixture f{domain};
    EXPECT_THROW(f.context().process(BuyBook{.isbn = "b-1"}), std::runtime_error);
    EXPECT_TRUE(f.rows().empty());
}

TEST(fork, sends_a_submitted_command_through_the_outbox_to_the_internal_broker_only) {
    library::fixture f;
    const std::string id = f.context().submit(BuyBook{.isbn = "b-1"});
    const auto rows = f.rows();
    ASSERT_EQ(rows.size(), 1U);
    EXPECT_EQ(rows[0].message_id, id);
    EXPECT_EQ(rows[0].target_broker, "default");
    EXPECT_EQ(rows[0].type, "PublicLibrary.BuyBook.v1");
    const auto command = f.event(rows[0].message_id);
    EXPECT_EQ(command->stream_category, "public_library::book:command");
    EXPECT_EQ(command->stream, "public_library::book:command-" + rows[0].message_id);
    const auto metadata = sluice::envelope::decode_metadata(sluice::json::parse(command->metadata));
    EXPECT_EQ(metadata.domain.kind, sluice::message_kind::command);
}

}  // namespace
