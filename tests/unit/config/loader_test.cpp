#include "config/loader.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "unit/config/configured.hpp"

namespace sluice::config {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::Pair;

using variables = std::map<std::string, std::string>;

const providers this_build = build_with({"memory", "sqlite"}, {"inline", "sqlite"});

/// @param domain  its normalized name; empty when none is known
explained_configuration explained(const std::string& text, const variables& environment = {},
                                  const std::string& domain = {}, const providers& available = this_build) {
    const auto lookup = [&](const std::string& name) -> std::optional<std::string> {
        const auto found = environment.find(name);
        if (found == environment.end()) return std::nullopt;
        return found->second;
    };
    return explain_text(text, "/srv/shop/domain.toml", available, lookup, [&] { return domain; });
}

configuration read(const std::string& text, const variables& environment = {}, const std::string& domain = {}) {
    return explained(text, environment, domain).values;
}

/// The text of every problem, without the file's name.
std::vector<std::string> problems_of(const std::string& text, const variables& environment = {},
                                     const std::string& domain = {}, const providers& available = this_build) {
    try {
        static_cast<void>(explained(text, environment, domain, available));
    } catch (const invalid_configuration& e) {
        std::vector<std::string> texts;
        for (const problem& found : e.problems()) texts.push_back(to_text("f", found));
        return texts;
    }
    return {};
}

const std::string minimal = R"([databases.default]
provider = "memory"
[brokers.default]
provider = "inline"
)";

TEST(loader, needs_only_a_database_and_a_broker) {
    const configuration loaded = read(minimal);
    EXPECT_EQ(loaded.databases.at("default").provider, "memory");
    EXPECT_EQ(loaded.brokers.at("default").provider, "inline");
    EXPECT_EQ(loaded.file, "/srv/shop/domain.toml");
    EXPECT_EQ(loaded.environment, "");
    EXPECT_EQ(loaded.outbox.broker, "default");
    EXPECT_TRUE(loaded.outbox.external_brokers.empty());
    EXPECT_EQ(loaded.outbox.messages_per_tick, 50u);
    EXPECT_EQ(loaded.outbox.retry.max_attempts, 3);
    EXPECT_EQ(loaded.server.priority_lanes.backfill_suffix, "backfill");
    EXPECT_TRUE(loaded.server.health.enabled);
    EXPECT_EQ(loaded.server.health.host, "127.0.0.1");
    EXPECT_EQ(loaded.server.health.port, 8080);
    EXPECT_TRUE(loaded.server.health.port_auto_increment);
    EXPECT_EQ(loaded.server.health.drain_delay_seconds, 0);
    EXPECT_EQ(loaded.log.level, "info");
    EXPECT_FALSE(loaded.commands.default_timeout_seconds);
}

TEST(loader, takes_a_port_that_is_named_at_its_word) {
    EXPECT_FALSE(read(minimal + "[server.health]\nport = 9000\n").server.health.port_auto_increment);
    EXPECT_TRUE(read(minimal + "[server.health]\nhost = \"localhost\"\n").server.health.port_auto_increment);
}

TEST(loader, reads_every_key) {
    const configuration loaded = read(R"(
[databases.default]
provider = "sqlite"
database_uri = "sqlite:///data/shop.db"
synchronous = "normal"
busy_timeout_ms = 250

[brokers.default]
provider = "sqlite"
URI = "sqlite:////var/lib/broker.db"
synchronous = "full"
busy_timeout_ms = 300
retention_hours = 36
maxlen = 1000
max_message_bytes = 65536

[brokers.partner_events]
provider = "sqlite"
URI = "partner/events.db"

[outbox]
broker = "default"
external_brokers = ["partner_events"]
messages_per_tick = 500
tick_interval = 0.5
lease_seconds = 20
publish_timeout_seconds = 5
max_probe_interval_seconds = 60

[outbox.retry]
max_attempts = 5
base_delay_seconds = 1
max_backoff_seconds = 100
closed_stream_hours = 12
backoff_multiplier = 1.5
jitter = false
jitter_factor = 0.1

[outbox.cleanup]
published_retention_hours = 1
abandoned_retention_hours = 2
interval_seconds = 30
batch_size = 100

[outbox.lanes.partner_events]
shards = 4

[server]
shutdown_seconds = 4

[server.subscription]
messages_per_tick = 7
max_retries = 8
retry_delay_seconds = 0.25
max_retry_delay_seconds = 9
claim_seconds = 10
max_held = 11

[server.health]
enabled = false
host = "::1"
port = 0
port_auto_increment = true
drain_delay_seconds = 2.5

[server.version_retry]
enabled = false
max_retries = 7
base_delay_seconds = 0.25
max_delay_seconds = 2

[server.transient_retry]
enabled = true
max_retries = 5
backoff = "linear"
base_delay_seconds = 0.5
max_delay_seconds = 3

[commands]
default_timeout_seconds = 90.5
idempotency_retention_hours = 48
failure_retention_seconds = 0

[server.priority_lanes]
enabled = true
threshold = -10
backfill_suffix = "later"

[inbox]
retention_hours = 12

[log]
level = "debug"
format = "json"
)");
    const database_settings& database = loaded.databases.at("default");
    EXPECT_EQ(database.path, "/srv/shop/data/shop.db");
    EXPECT_EQ(database.database_uri, "sqlite:///data/shop.db");
    EXPECT_THAT(database.options, ElementsAre(Pair("busy_timeout_ms", "250"), Pair("synchronous", "normal")));
    const broker_settings& broker = loaded.brokers.at("default");
    EXPECT_EQ(broker.path, "/var/lib/broker.db");
    EXPECT_THAT(broker.options,
                ElementsAre(Pair("busy_timeout_ms", "300"), Pair("max_message_bytes", "65536"), Pair("maxlen", "1000"),
                            Pair("retention_hours", "36"), Pair("synchronous", "full")));
    EXPECT_EQ(loaded.brokers.at("partner_events").path, "/srv/shop/partner/events.db");

    EXPECT_THAT(loaded.outbox.external_brokers, ElementsAre("partner_events"));
    EXPECT_EQ(loaded.outbox.messages_per_tick, 500u);
    EXPECT_EQ(loaded.outbox.tick_interval, 0.5);
    EXPECT_EQ(loaded.outbox.lease_seconds, 20);
    EXPECT_EQ(loaded.outbox.publish_timeout_seconds, 5);
    EXPECT_EQ(loaded.outbox.max_probe_interval_seconds, 60);
    EXPECT_EQ(loaded.outbox.shards_of("partner_events"), 4);
    EXPECT_EQ(loaded.outbox.shards_of("default"), 1);
    EXPECT_EQ(loaded.outbox.retry.max_attempts, 5);
    EXPECT_EQ(loaded.outbox.retry.base_delay_seconds, 1);
    EXPECT_EQ(loaded.outbox.retry.max_backoff_seconds, 100);
    EXPECT_EQ(loaded.outbox.retry.closed_stream_hours, 12);
    EXPECT_EQ(loaded.outbox.retry.backoff_multiplier, 1.5);
    EXPECT_FALSE(loaded.outbox.retry.jitter);
    EXPECT_EQ(loaded.outbox.retry.jitter_factor, 0.1);
    EXPECT_EQ(loaded.outbox.cleanup.published_retention_hours, 1);
    EXPECT_EQ(loaded.outbox.cleanup.abandoned_retention_hours, 2);
    EXPECT_EQ(loaded.outbox.cleanup.interval_seconds, 30);
    EXPECT_EQ(loaded.outbox.cleanup.batch_size, 100u);
    EXPECT_EQ(loaded.server.shutdown_seconds, 4);
    EXPECT_FALSE(loaded.server.version_retry.enabled);
    EXPECT_EQ(loaded.server.version_retry.max_retries, 7);
    EXPECT_EQ(loaded.server.version_retry.base_delay_seconds, 0.25);
    EXPECT_EQ(loaded.server.version_retry.max_delay_seconds, 2);
    EXPECT_TRUE(loaded.server.transient_retry.enabled);
    EXPECT_EQ(loaded.server.transient_retry.max_retries, 5);
    EXPECT_EQ(loaded.server.transient_retry.backoff, delay_growth::linear);
    EXPECT_EQ(loaded.server.transient_retry.base_delay_seconds, 0.5);
    EXPECT_EQ(loaded.server.transient_retry.max_delay_seconds, 3);
    EXPECT_EQ(loaded.commands.default_timeout_seconds, 90.5);
    EXPECT_EQ(loaded.commands.idempotency_retention_hours, 48);
    EXPECT_EQ(loaded.commands.failure_retention_seconds, 0);
    EXPECT_EQ(loaded.server.subscription.messages_per_tick, 7u);
    EXPECT_EQ(loaded.server.subscription.max_retries, 8);
    EXPECT_EQ(loaded.server.subscription.retry_delay_seconds, 0.25);
    EXPECT_EQ(loaded.server.subscription.max_retry_delay_seconds, 9);
    EXPECT_EQ(loaded.server.subscription.claim_seconds, 10);
    EXPECT_EQ(loaded.server.subscription.max_held, 11u);
    EXPECT_TRUE(loaded.server.priority_lanes.enabled);
    EXPECT_EQ(loaded.server.priority_lanes.threshold, -10);
    EXPECT_EQ(loaded.server.priority_lanes.backfill_suffix, "later");
    EXPECT_FALSE(loaded.server.health.enabled);
    EXPECT_EQ(loaded.server.health.host, "::1");
    EXPECT_EQ(loaded.server.health.port, 0);
    EXPECT_TRUE(loaded.server.health.port_auto_increment);
    EXPECT_EQ(loaded.server.health.drain_delay_seconds, 2.5);
    EXPECT_EQ(loaded.inbox.retention_hours, 12);
    EXPECT_EQ(loaded.log.level, "debug");
    EXPECT_EQ(loaded.log.format, "json");
}

TEST(loader, a_partial_section_keeps_the_other_defaults) {
    const configuration loaded = read(minimal + "[outbox.retry]\nmax_attempts = 9\n");
    EXPECT_EQ(loaded.outbox.retry.max_attempts, 9);
    EXPECT_EQ(loaded.outbox.retry.base_delay_seconds, 60);
}

/// Prints its title only.
struct bad_input {
    friend std::ostream& operator<<(std::ostream& out, const bad_input& input) { return out << input.title; }

    const char* title;
    std::string added;  ///< after `minimal`, whose last line is 4
    std::string problem;
};

class bad_configuration : public ::testing::TestWithParam<bad_input> {};

/// What follows begins at line 6 + 4 and belongs to the lane of an external broker.
const std::string partner_lane =
    "[brokers.other]\nprovider = \"inline\"\n[outbox]\nexternal_brokers = [\"other\"]\n[outbox.lanes.other]\n";

TEST_P(bad_configuration, is_reported_exactly) {
    EXPECT_THAT(problems_of(minimal + GetParam().added), ElementsAre(GetParam().problem));
}

INSTANTIATE_TEST_SUITE_P(
    loader, bad_configuration,
    ::testing::Values(
        bad_input{"unknown_key", "[outbox]\nmesages_per_tick = 5\n",
                  R"(f:6: outbox.mesages_per_tick: unknown key; did you mean "messages_per_tick"?)"},
        bad_input{"unknown_key_without_neighbour", "[inbox]\nzzzzzz = \"s3cret\"\n",
                  "f:6: inbox.zzzzzz: unknown key; known here: retention_hours"},
        bad_input{"unknown_section", "[outbx]\nbroker = \"default\"\n",
                  R"(f:5: outbx: unknown section; did you mean "outbox"?)"},
        bad_input{
            "empty_unknown_section", "[zzzzzz]\n",
            "f:5: zzzzzz: unknown section; sections are: brokers, commands, console, databases, event_sourcing, inbox, "
            "log, outbox, server, telemetry"},
        bad_input{"unknown_subsection", "[inbox.retry]\n",
                  "f:5: inbox.retry: unknown key; known here: retention_hours"},
        bad_input{"too_small", "[outbox]\nmessages_per_tick = 0\n",
                  "f:6: outbox.messages_per_tick = 0: must be a whole number from 1 to 10000"},
        bad_input{"too_large", "[outbox]\nmessages_per_tick = 10001\n",
                  "f:6: outbox.messages_per_tick = 10001: must be a whole number from 1 to 10000"},
        bad_input{"fraction_for_a_whole_number", "[outbox]\nmessages_per_tick = 1.5\n",
                  "f:6: outbox.messages_per_tick = 1.5: must be a whole number from 1 to 10000"},
        bad_input{"number_in_quotes", "[outbox]\nmessages_per_tick = \"50\"\n",
                  "f:6: outbox.messages_per_tick = \"50\": must be a whole number from 1 to 10000; remove the quotes"},
        bad_input{"flag_for_a_number", "[outbox]\ntick_interval = true\n",
                  "f:6: outbox.tick_interval = true: must be a number from 0.001 to 3600"},
        bad_input{"not_a_number", "[outbox]\ntick_interval = nan\n",
                  "f:6: outbox.tick_interval = nan: must be a number from 0.001 to 3600"},
        bad_input{"word_for_a_flag", "[outbox.retry]\njitter = \"yes\"\n",
                  "f:6: outbox.retry.jitter = \"yes\": must be true or false, without quotes"},
        bad_input{"number_for_a_text", "[outbox]\nbroker = 1\n", "f:6: outbox.broker = 1: must be a text in quotes"},
        bad_input{"date_for_a_number", "[inbox]\nretention_hours = 2026-01-01\n",
                  "f:6: inbox.retention_hours: must be a number from 0 to 876000"},
        bad_input{"no_attempts", "[outbox.retry]\nmax_attempts = 0\n",
                  "f:6: outbox.retry.max_attempts = 0: must be a whole number from 1 to 1000000"},
        bad_input{"shrinking_backoff", "[outbox.retry]\nbackoff_multiplier = 0.5\n",
                  "f:6: outbox.retry.backoff_multiplier = 0.5: must be a number from 1 to 1000"},
        bad_input{"too_much_jitter", "[outbox.retry]\njitter_factor = 1.1\n",
                  "f:6: outbox.retry.jitter_factor = 1.1: must be a number from 0 to 1"},
        bad_input{"scalar_for_a_subsection", "[server]\npriority_lanes = true\n",
                  "f:6: server.priority_lanes = true: must be a table; write [server.priority_lanes] on a line of its "
                  "own, with its keys below"},
        bad_input{"port_out_of_range", "[server.health]\nport = 65536\n",
                  "f:6: server.health.port = 65536: must be a whole number from 0 to 65535"},
        bad_input{"blank_suffix", "[server.priority_lanes]\nbackfill_suffix = \" \"\n",
                  "f:6: server.priority_lanes.backfill_suffix = \" \": is blank; give it a value or remove it"},
        bad_input{"suffix_with_colon", "[server.priority_lanes]\nbackfill_suffix = \"a:b\"\n",
                  "f:6: server.priority_lanes.backfill_suffix = \"a:b\": becomes part of stream names; use letters, "
                  "digits, _, - and ."},
        bad_input{"unknown_internal_broker", "[outbox]\nbroker = \"defualt\"\n",
                  R"(f:6: outbox.broker = "defualt": no such broker in [brokers]; did you mean "default"?)"},
        bad_input{"unknown_external_broker", "[outbox]\nexternal_brokers = [\"partner\"]\n",
                  R"(f:6: outbox.external_brokers = "partner": no such broker in [brokers]; brokers are: default)"},
        bad_input{"internal_among_external", "[outbox]\nexternal_brokers = [\n\"default\"]\n",
                  "f:7: outbox.external_brokers = \"default\": is the internal broker (outbox.broker); remove it: "
                  "internal messages go there anyway"},
        bad_input{"bare_string_for_a_list", "[outbox]\nexternal_brokers = \"partner\"\n",
                  R"(f:6: outbox.external_brokers = "partner": must be a list of texts; did you mean ["partner"]?)"},
        bad_input{"numbers_in_a_list", "[outbox]\nexternal_brokers = [1]\n",
                  "f:6: outbox.external_brokers = 1: must hold texts only; put every element in quotes"},
        bad_input{"unknown_provider", "[brokers.b]\nprovider = \"sqllite\"\n",
                  R"(f:6: brokers.b.provider = "sqllite": is no broker provider; did you mean "sqlite"?)"},
        bad_input{
            "ProviderOfAnotherBuild", "[brokers.b]\nprovider = \"redis\"\nURI = \"redis://localhost\"\n",
            R"(f:6: brokers.b.provider = "redis": provider "redis" is not part of this build; available: inline, sqlite)"},
        bad_input{"no_provider", "[brokers.b]\n", "f:5: brokers.b.provider: is missing; choose one of inline, sqlite"},
        bad_input{
            "NoLocation", "[brokers.b]\nprovider = \"sqlite\"\n",
            R"(f:5: brokers.b.URI: is missing; provider "sqlite" needs it; for example "sqlite:///data/broker.db")"},
        bad_input{
            "LocationWithoutUse", "[brokers.b]\nprovider = \"inline\"\nURI = \"x.db\"\n",
            R"(f:7: brokers.b.URI = "x.db": provider "inline" keeps nothing anywhere and does not use it; remove it, or choose another provider)"},
        bad_input{"other_spelling_of_the_location", "[brokers.b]\nprovider = \"inline\"\nuri = \"x.db\"\n",
                  R"(f:7: brokers.b.uri: unknown key; known here: provider)"},
        bad_input{"option_of_another_provider", "[databases.d]\nprovider = \"memory\"\nsynchronous = \"full\"\n",
                  "f:7: databases.d.synchronous: unknown key; known here: provider"},
        bad_input{"wrong_word", "[log]\nlevel = \"warning\"\n",
                  R"(f:6: log.level = "warning": is not one of the choices; did you mean "warn"?)"},
        bad_input{"wrong_word_for_an_option",
                  "[databases.d]\nprovider = \"sqlite\"\ndatabase_uri = \"d.db\"\nsynchronous = \"of\"\n",
                  R"(f:8: databases.d.synchronous = "of": is not one of the choices; use one of: full, normal)"},
        bad_input{"not_a_file",
                  "[databases.d]\nprovider = \"sqlite\"\ndatabase_uri = \"postgresql://joe:pw@db/shop\"\n",
                  "f:7: databases.d.database_uri = \"postgresql://db/shop\": is no location of a file; write "
                  "sqlite:///shop.db (beside domain.toml), sqlite:////var/lib/shop.db or a plain path"},
        bad_input{"one_file_twice",
                  "[brokers.a]\nprovider = \"sqlite\"\nURI = \"x.db\"\n[brokers.b]\nprovider = \"sqlite\"\nURI = "
                  "\"sqlite:///./x.db\"\n",
                  "f:10: brokers.b.URI = \"sqlite:///./x.db\": is the file of [brokers.a] too; give each a file of its "
                  "own"},
        bad_input{"lane_of_no_broker", "[outbox.lanes.defualt]\nshards = 2\n",
                  "f:5: outbox.lanes.defualt: no such broker in [brokers]; did you mean \"default\"?"},
        bad_input{"too_many_shards", "[outbox.lanes.default]\nshards = 65\n",
                  "f:6: outbox.lanes.default.shards = 65: must be a whole number from 1 to 64"},
        bad_input{"extensions_of_the_internal_broker", "[outbox.lanes.default]\nextensions = [\"tenant\"]\n",
                  "f:6: outbox.lanes.default.extensions: is for external brokers; the internal one gets every "
                  "event as it is; remove it"},
        bad_input{"extensions_of_another_broker",
                  "[brokers.other]\nprovider = \"inline\"\n[outbox.lanes.other]\nextensions = []\n",
                  "f:8: outbox.lanes.other.extensions: is for external brokers, and this is none; list the broker in "
                  "[outbox] external_brokers, or remove the key"},
        bad_input{"private_extension",
                  "[brokers.other]\nprovider = \"inline\"\n[outbox]\nexternal_brokers = [\"other\"]\n"
                  "[outbox.lanes.other]\nextensions = [\"_tenant\"]\n",
                  "f:10: outbox.lanes.other.extensions = \"_tenant\": begins with _ and never leaves the context; "
                  "remove it, or let the enricher give it another name"},
        bad_input{"extension_listed_twice",
                  "[brokers.other]\nprovider = \"inline\"\n[outbox]\nexternal_brokers = [\"other\"]\n"
                  "[outbox.lanes.other]\nextensions = [\"a\", \"a\"]\n",
                  "f:10: outbox.lanes.other.extensions = \"a\": is listed twice; remove one"},
        bad_input{"no_such_format", partner_lane + "format = \"cloudevent\"\n",
                  "f:10: outbox.lanes.other.format = \"cloudevent\": is not one of the choices; did you mean "
                  "\"cloudevents-structured\"?"},
        bad_input{"headers_at_a_broker_without", partner_lane + "format = \"cloudevents-binary\"\n",
                  "f:10: outbox.lanes.other.format = \"cloudevents-binary\": needs a broker that carries headers, and "
                  "\"inline\" carries none; use \"cloudevents-structured\""},
        bad_input{"source_without_cloudevents", partner_lane + "source = \"/shop\"\n",
                  "f:10: outbox.lanes.other.source = \"/shop\": is of CloudEvents, and format is \"sluice\"; choose "
                  "another format, or remove the key"},
        bad_input{"unknown_template_field", partner_lane + "stream = \"{categry}\"\n",
                  "f:10: outbox.lanes.other.stream = \"{categry}\": has {categry}, which stands for nothing; known: "
                  "{aggregate}, {domain}, {event}, {stream_category}, {type}, {version}"},
        bad_input{
            "template_with_half_a_brace", partner_lane + "stream = \"a{domain\"\n",
            "f:10: outbox.lanes.other.stream = \"a{domain\": has a brace without its partner; known: {aggregate}, "
            "{domain}, {event}, {stream_category}, {type}, {version}"},
        bad_input{"no_events_at_all", partner_lane + "events = []\n",
                  "f:10: outbox.lanes.other.events: is empty, so nothing would go there; remove the key to send "
                  "everything, or the broker from external_brokers to send nothing"},
        bad_input{"events_of_the_internal_broker", "[outbox.lanes.default]\nevents = [\"*\"]\n",
                  "f:6: outbox.lanes.default.events: is for external brokers; the internal one gets every event as it "
                  "is; remove it"},
        bad_input{"path_with_an_empty_name", partner_lane + "redact = [\"customer..email\"]\n",
                  "f:10: outbox.lanes.other.redact = \"customer..email\": has an empty name in it; write it like "
                  "\"customer.email\""},
        bad_input{"replacement_for_nothing", partner_lane + "redact_with = \"-\"\n",
                  "f:10: outbox.lanes.other.redact_with = \"-\": stands in place of what redact names, and that names "
                  "nothing; name the members in redact, or remove the key"},
        bad_input{"negative_rate", partner_lane + "rate_limit = -1\n",
                  "f:10: outbox.lanes.other.rate_limit = -1: must be a number from 0 to 100000"},
        bad_input{"unknown_retry_key_of_a_lane", "[outbox.lanes.default.retry]\nmax_attemps = 2\n",
                  "f:6: outbox.lanes.default.retry.max_attemps: unknown key; did you mean \"max_attempts\"?"},
        bad_input{"unknown_key_of_a_lane", "[outbox.lanes.default]\nshard = 2\n",
                  "f:6: outbox.lanes.default.shard: unknown key; did you mean \"shards\"?"},
        bad_input{"lease_shorter_than_publishing", "[outbox]\nlease_seconds = 5\n",
                  "f:6: outbox.lease_seconds = 5: must be longer than publish_timeout_seconds (10); a lane publishes "
                  "only while its lease outlasts the publishing"},
        bad_input{"name_with_colon", "[brokers.\"a:b\"]\nprovider = \"inline\"\n",
                  "f:5: brokers.\"a:b\": is no name for an adapter; use letters, digits, _, - and ."},
        bad_input{"unset_variable", "[outbox]\nbroker = \"${BROKER}\"\n",
                  "f:6: outbox.broker: environment variable BROKER is not set; set it, or give a default: "
                  "${BROKER|…}"},
        bad_input{"variable_without_end", "[outbox]\nbroker = \"${BROKER\"\n",
                  "f:6: outbox.broker: has a ${ without }; close it, or write $${ for a literal ${"},
        bad_input{"variable_without_name", "[outbox]\nbroker = \"${|x}\"\n",
                  "f:6: outbox.broker: has a ${…} that does not hold the name of an environment variable; use letters, "
                  "digits and _, or write $${ for a literal ${"}),
    [](const auto& tested) { return tested.param.title; });

TEST(loader, reports_everything_at_once_in_the_order_of_the_file) {
    try {
        static_cast<void>(read(R"([databases.default]
provider = "memory"
[brokers.default]
provider = "inlne"
[log]
level = "loud"
[outbox]
messages_per_tick = -1
external_brokers = ["p", "p"]
)"));
        FAIL() << "accepted";
    } catch (const invalid_configuration& e) {
        EXPECT_STREQ(e.what(), R"(/srv/shop/domain.toml has 5 problems:
  /srv/shop/domain.toml:4: brokers.default.provider = "inlne": is no broker provider; did you mean "inline"?
  /srv/shop/domain.toml:6: log.level = "loud": is not one of the choices; use one of: trace, debug, info, warn, error, off
  /srv/shop/domain.toml:8: outbox.messages_per_tick = -1: must be a whole number from 1 to 10000
  /srv/shop/domain.toml:9: outbox.external_brokers = "p": no such broker in [brokers]; brokers are: default
  /srv/shop/domain.toml:9: outbox.external_brokers = "p": is listed twice; remove one: a broker gets one copy of an event)");
    }
}

TEST(loader, a_scalar_is_no_section) {
    EXPECT_THAT(
        problems_of("server = true\nspeed = 9\n" + minimal),
        ElementsAre(
            "f:1: server = true: must be a table; write [server] on a line of its own, with its keys below",
            "f:2: speed: unknown key at the top of the file; sections are: brokers, commands, console, databases, "
            "event_sourcing, inbox, "
            "log, outbox, server, telemetry"));
}

TEST(loader, missing_defaults_are_named) {
    EXPECT_THAT(problems_of("[databases.other]\nprovider = \"memory\"\n", {}, "shop"),
                ElementsAre("f: brokers.default: is missing; add [brokers.default] with provider = \"inline\"",
                            "f:1: databases.default: is missing; add [databases.default] with provider = \"memory\""));
}

const std::string two_brokers = R"([brokers.default]
provider = "inline"
[brokers.partner]
provider = "inline"
[outbox]
external_brokers = ["partner"]
)";

TEST(built_in_database, is_a_file_named_after_the_domain_beside_the_configuration) {
    const explained_configuration read = explained(two_brokers, {}, "shop");
    ASSERT_EQ(read.values.databases.size(), 1u);
    const database_settings& database = read.values.databases.at("default");
    EXPECT_EQ(database.name, "default");
    EXPECT_EQ(database.provider, "sqlite");
    EXPECT_EQ(database.path, "/srv/shop/shop.db");
    EXPECT_EQ(database.options.at("synchronous"), "full");
    EXPECT_TRUE(database.built_in);

    std::map<std::string, effective_setting> shown;
    for (const effective_setting& each : read.settings) shown.emplace(each.path(), each);
    const effective_setting& uri = shown.at("databases.default.database_uri");
    EXPECT_EQ(uri.value, setting_value{"sqlite:///shop.db"});
    EXPECT_EQ(uri.resolved, "/srv/shop/shop.db");
    EXPECT_EQ(uri.from, origin::built_in);
    EXPECT_EQ(shown.at("databases.default.provider").value, setting_value{"sqlite"});
    EXPECT_EQ(shown.at("databases.default.provider").from, origin::built_in);
}

TEST(built_in_database, yields_to_any_that_is_configured) {
    EXPECT_FALSE(read(minimal, {}, "shop").databases.at("default").built_in);

    const std::string in_production = two_brokers + "[production.databases.default]\nprovider = \"memory\"\n";
    EXPECT_TRUE(read(in_production, {}, "shop").databases.at("default").built_in);
    EXPECT_EQ(read(in_production, {{"SLUICE_ENV", "production"}}, "shop").databases.at("default").provider, "memory");
}

TEST(built_in_database, asks_for_the_domain_only_when_it_is_needed) {
    const auto none = [](const std::string&) { return std::optional<std::string>{}; };
    const auto unwanted = []() -> std::string { throw std::logic_error{"the domain was loaded"}; };
    EXPECT_NO_THROW(static_cast<void>(parse(minimal, "domain.toml", this_build, none, unwanted)));
    EXPECT_THROW(static_cast<void>(parse(two_brokers, "domain.toml", this_build, none, unwanted)), std::logic_error);
}

TEST(built_in_database, has_no_name_without_a_domain) {
    EXPECT_THAT(problems_of(two_brokers),
                ElementsAre("f: databases.default: is missing; without it the database is an SQLite file named after "
                            "the domain, and no domain is named; name the domain, or add [databases.default] with "
                            "provider = \"sqlite\""));
}

TEST(built_in_database, is_missing_from_a_build_without_sqlite) {
    EXPECT_THAT(problems_of(two_brokers, {}, "shop", build_with({"memory"}, {"inline"})),
                ElementsAre("f: databases.default: is missing; add [databases.default] with provider = \"memory\""));
}

TEST(built_in_database, shares_its_file_with_no_broker) {
    EXPECT_THAT(
        problems_of("[brokers.default]\nprovider = \"sqlite\"\nURI = \"shop.db\"\n", {}, "shop"),
        ElementsAre("f:3: brokers.default.URI = \"shop.db\": is the file of [databases.default] too; give each a "
                    "file of its own"));
}

TEST(built_in_database, does_not_replace_a_section_that_is_none) {
    EXPECT_THAT(problems_of("databases = 3\n" + two_brokers, {}, "shop"),
                ElementsAre(HasSubstr("f:1: databases = 3: must be a table")));
}

TEST(loader, syntax_error_names_the_line) {
    EXPECT_THAT(problems_of("[databases.default]\nprovider = \n"),
                ElementsAre(AllOf(HasSubstr("f:2: is not TOML: "), HasSubstr("correct the syntax"))));
}

TEST(loader, never_shows_a_secret) {
    const auto problems = problems_of(minimal + R"([databases.d]
provider = "sqlite"
database_uri = "postgresql://joe:hunter2@db:5432/shop?password=hunter2"
[databases.e]
provider = "sqlite"
database_uri = "file:host=db password=hunter2"
[outbox]
broker = "redis://:hunter2@cache/0"
password = "hunter2"
)");
    EXPECT_EQ(problems.size(), 4u);
    EXPECT_THAT(problems, ::testing::Each(Not(HasSubstr("hunter2"))));
}

TEST(loader, values_in_errors_cannot_move_the_cursor) {
    EXPECT_THAT(problems_of(minimal + "[outbox]\nbroker = \"a\\u001b[2Jb\"\n"),
                ElementsAre(HasSubstr(R"(outbox.broker = "a\x1b[2Jb": no such broker)")));
}

TEST(loader, texts_from_variables_may_stand_for_numbers_and_flags) {
    const std::string text = minimal + R"([outbox]
messages_per_tick = "${BATCH|200}"
tick_interval = "${TICK}"
[outbox.retry]
jitter = "${JITTER|false}"
)";
    const configuration loaded = read(text, {{"TICK", "2.5"}});
    EXPECT_EQ(loaded.outbox.messages_per_tick, 200u);
    EXPECT_EQ(loaded.outbox.tick_interval, 2.5);
    EXPECT_FALSE(loaded.outbox.retry.jitter);

    EXPECT_THAT(problems_of(text, {{"TICK", "soon"}, {"BATCH", "0"}}),
                ElementsAre("f:6: outbox.messages_per_tick = \"0\": must be a whole number from 1 to 10000",
                            "f:7: outbox.tick_interval = \"soon\": must be a number from 0.001 to 3600"));
}

const std::string layered = R"([databases.default]
provider = "sqlite"
database_uri = "dev.db"
synchronous = "normal"
[brokers.default]
provider = "inline"
[outbox]
messages_per_tick = 10
[production.databases.default]
database_uri = "${PROD_DB}"
[production.brokers.partner]
provider = "inline"
[production.outbox]
external_brokers = ["partner"]
[test.databases.default]
provider = "memory"
)";

TEST(overlay, is_ignored_in_other_environments_with_its_variables) {
    const configuration loaded = read(layered);
    EXPECT_EQ(loaded.databases.at("default").path, "/srv/shop/dev.db");
    EXPECT_FALSE(loaded.brokers.contains("partner"));
}

TEST(overlay, replaces_and_adds_key_by_key) {
    const configuration loaded = read(layered, {{"SLUICE_ENV", "production"}, {"PROD_DB", "/data/prod.db"}});
    EXPECT_EQ(loaded.environment, "production");
    EXPECT_EQ(loaded.databases.at("default").path, "/data/prod.db");
    EXPECT_EQ(loaded.databases.at("default").options.at("synchronous"), "normal");
    EXPECT_EQ(loaded.outbox.messages_per_tick, 10u);
    EXPECT_THAT(loaded.outbox.external_brokers, ElementsAre("partner"));
}

TEST(overlay, another_provider_replaces_the_whole_entry) {
    const configuration loaded = read(layered, {{"SLUICE_ENV", "test"}});
    EXPECT_EQ(loaded.databases.at("default").provider, "memory");
    EXPECT_TRUE(loaded.databases.at("default").options.empty());
}

TEST(overlay, an_environment_that_the_file_does_not_know_is_an_error) {
    EXPECT_THAT(problems_of(layered, {{"SLUICE_ENV", "prodction"}}),
                ElementsAre(HasSubstr("SLUICE_ENV=prodction names no environment of this file; did you mean "
                                      "\"production\"?")));
    EXPECT_EQ(read(minimal, {{"SLUICE_ENV", "staging"}}).environment, "staging")
        << "a file without overlays knows none";
}

TEST(overlay, its_keys_are_checked_too) {
    EXPECT_THAT(problems_of(minimal + "[production.outbx]\nbroker = \"x\"\n", {{"SLUICE_ENV", "production"}}),
                ElementsAre(R"(f:5: production.outbx: unknown section; did you mean "outbox"?)"));
}

TEST(overlay, an_environment_cannot_be_called_like_a_section) {
    EXPECT_THAT(problems_of(minimal, {{"SLUICE_ENV", "outbox"}}),
                ElementsAre(HasSubstr("SLUICE_ENV=outbox names a section, not an environment")));
}

TEST(load, a_missing_file_is_an_error_not_a_default) {
    try {
        static_cast<void>(load("/nonexistent/domain.toml", this_build));
        FAIL() << "accepted";
    } catch (const invalid_configuration& e) {
        EXPECT_STREQ(e.what(),
                     "/nonexistent/domain.toml: there is no such configuration file; create it, or name "
                     "another one with --config");
    }
}

TEST(load, a_directory_is_no_file) {
    try {
        static_cast<void>(load("/", this_build));
        FAIL() << "accepted";
    } catch (const invalid_configuration& e) {
        EXPECT_THAT(e.what(), HasSubstr("/: this configuration file cannot be read"));
    }
}

TEST(parse, a_lane_without_a_list_of_extensions_is_not_one_with_an_empty_list) {
    const std::string partners = minimal + "[brokers.a]\nprovider = \"inline\"\n[brokers.b]\nprovider = \"inline\"\n" +
                                 "[outbox]\nexternal_brokers = [\"a\", \"b\"]\n";
    const auto loaded = read(partners + "[outbox.lanes.a]\nextensions = []\n[outbox.lanes.b]\nshards = 2\n").outbox;
    EXPECT_EQ(loaded.lane_of("a").terms.extensions, std::vector<std::string>{});
    EXPECT_EQ(loaded.lane_of("b").terms.extensions, std::nullopt);
    EXPECT_EQ(loaded.lane_of("c").terms.extensions, std::nullopt);
    EXPECT_EQ(loaded.shards_of("a"), 1);
}

TEST(parse, the_keys_of_a_lane_hold_for_that_broker_alone) {
    const std::string partners = minimal + "[brokers.a]\nprovider = \"inline\"\n[brokers.b]\nprovider = \"inline\"\n" +
                                 "[outbox]\nexternal_brokers = [\"a\", \"b\"]\n[outbox.retry]\nmax_attempts = 5\n";
    const auto loaded = read(partners + R"([outbox.lanes.a]
format = "cloudevents-structured"
source = "/eu/shop"
dataschema = "https://schemas.example/{event}/{version}"
stream = "partner.{aggregate}"
events = ["Order*"]
aggregates = ["shop::order"]
redact = ["customer.email", "notes"]
redact_with = "***"
max_message_bytes = 65536
rate_limit = 12.5
[outbox.lanes.a.retry]
base_delay_seconds = 1
)")
                            .outbox;
    const lane_options a = loaded.lane_of("a");
    EXPECT_EQ(a.terms.form, envelope::message_form::cloudevents_structured);
    EXPECT_EQ(a.terms.source, "/eu/shop");
    EXPECT_EQ(a.terms.dataschema, "https://schemas.example/{event}/{version}");
    EXPECT_EQ(a.terms.redact, (std::vector<std::string>{"customer.email", "notes"}));
    EXPECT_EQ(a.terms.redact_with, "***");
    EXPECT_EQ(a.stream, "partner.{aggregate}");
    EXPECT_EQ(a.events, std::vector<std::string>{"Order*"});
    EXPECT_EQ(a.aggregates, std::vector<std::string>{"shop::order"});
    EXPECT_EQ(a.max_message_bytes, 65'536U);
    EXPECT_EQ(a.rate_limit, 12.5);
    EXPECT_EQ(loaded.retry_of("a").base_delay_seconds, 1);
    EXPECT_EQ(loaded.retry_of("a").max_attempts, 5) << "what the lane does not say is that of [outbox.retry]";

    const lane_options b = loaded.lane_of("b");
    EXPECT_EQ(b.terms, envelope::partner_terms{});
    EXPECT_EQ(b.stream, "{stream_category}");
    EXPECT_EQ(b.events, std::nullopt);
    EXPECT_EQ(loaded.retry_of("b").base_delay_seconds, 60);
    EXPECT_EQ(loaded.retry_of("b").max_attempts, 5);
}

configuration read_values(const json::object& values) { return from_values(values, "/srv/shop", this_build); }

TEST(values, have_the_keys_of_the_file) {
    const configuration read =
        read_values({{"databases", json::object{{"default", json::object{{"provider", "sqlite"},
                                                                         {"database_uri", "sqlite:///shop.db"},
                                                                         {"busy_timeout_ms", 700}}}}},
                     {"brokers", json::object{{"default", json::object{{"provider", "inline"}}},
                                              {"partner", json::object{{"provider", "inline"}}}}},
                     {"outbox", json::object{{"external_brokers", json::array{"partner"}}, {"tick_interval", 0.25}}},
                     {"server", json::object{{"shutdown_seconds", 3}, {"health", json::object{{"enabled", false}}}}}});
    EXPECT_EQ(read.databases.at("default").path, "/srv/shop/shop.db");
    EXPECT_EQ(read.databases.at("default").options.at("busy_timeout_ms"), "700");
    EXPECT_THAT(read.outbox.external_brokers, ElementsAre("partner"));
    EXPECT_EQ(read.outbox.tick_interval, 0.25);
    EXPECT_EQ(read.server.shutdown_seconds, 3);
    EXPECT_FALSE(read.server.health.enabled);
}

TEST(values, stand_as_they_are) {
    const configuration read = read_values(
        {{"databases",
          json::object{{"default", json::object{{"provider", "sqlite"}, {"database_uri", "sqlite:///${HOME}.db"}}}}},
         {"brokers", json::object{{"default", json::object{{"provider", "inline"}}}}}});
    EXPECT_EQ(read.databases.at("default").path, "/srv/shop/${HOME}.db");
}

TEST(values, name_every_key_that_is_wrong) {
    try {
        static_cast<void>(read_values({{"outbox", json::object{{"tick_interval", "soon"}, {"broker", nullptr}}},
                                       {"severs", json::object{}},
                                       {"production", json::object{{"outbox", json::object{}}}},
                                       {"server", json::object{{"shutdown_seconds", json::number{"1e999"}}}}}));
        FAIL() << "nothing was refused";
    } catch (const invalid_configuration& e) {
        EXPECT_THAT(e.what(),
                    AllOf(HasSubstr("outbox.tick_interval"), HasSubstr("outbox.broker: is null"), HasSubstr("severs"),
                          HasSubstr("production: unknown section"), HasSubstr("server.shutdown_seconds")));
    }
}

}  // namespace
}  // namespace sluice::config
