#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <set>
#include <sstream>

#include "app/compose.hpp"
#include "config/loader.hpp"
#include "config/subscription_profiles.hpp"
#include "config/subscription_resolution.hpp"
#include "domain/subscription_rules.hpp"

// docs/configuration.md against the loader.
namespace sluice {
namespace {

std::optional<std::string> no_variable(const std::string& /*name*/) { return std::nullopt; }

std::string text_of(const std::string& file) {
    std::ostringstream text;
    text << std::ifstream{SLUICE_SOURCE_DIR + file}.rdbuf();
    return text.str();
}

TEST(configuration_docs, the_example_shows_the_defaults) {
    const auto shown = config::parse(text_of("/tests/integration/every_key.toml"), "/srv/shop/domain.toml",
                                     app::available_providers(), no_variable);
    const config::configuration defaults;
    EXPECT_EQ(shown.outbox.messages_per_tick, defaults.outbox.messages_per_tick);
    EXPECT_EQ(shown.outbox.tick_interval, defaults.outbox.tick_interval);
    EXPECT_EQ(shown.outbox.lease_seconds, defaults.outbox.lease_seconds);
    EXPECT_EQ(shown.outbox.publish_timeout_seconds, defaults.outbox.publish_timeout_seconds);
    EXPECT_EQ(shown.outbox.max_probe_interval_seconds, defaults.outbox.max_probe_interval_seconds);
    EXPECT_EQ(shown.outbox.retry.max_attempts, defaults.outbox.retry.max_attempts);
    EXPECT_EQ(shown.outbox.retry.base_delay_seconds, defaults.outbox.retry.base_delay_seconds);
    EXPECT_EQ(shown.outbox.retry.max_backoff_seconds, defaults.outbox.retry.max_backoff_seconds);
    EXPECT_EQ(shown.outbox.retry.closed_stream_hours, defaults.outbox.retry.closed_stream_hours);
    EXPECT_EQ(shown.outbox.retry.backoff_multiplier, defaults.outbox.retry.backoff_multiplier);
    EXPECT_EQ(shown.outbox.retry.jitter, defaults.outbox.retry.jitter);
    EXPECT_EQ(shown.outbox.retry.jitter_factor, defaults.outbox.retry.jitter_factor);
    EXPECT_EQ(shown.outbox.cleanup.published_retention_hours, defaults.outbox.cleanup.published_retention_hours);
    EXPECT_EQ(shown.outbox.cleanup.abandoned_retention_hours, defaults.outbox.cleanup.abandoned_retention_hours);
    EXPECT_EQ(shown.outbox.cleanup.interval_seconds, defaults.outbox.cleanup.interval_seconds);
    EXPECT_EQ(shown.outbox.cleanup.batch_size, defaults.outbox.cleanup.batch_size);
    EXPECT_EQ(shown.outbox.shards_of("partner_events"), defaults.outbox.shards_of("partner_events"));
    EXPECT_EQ(shown.outbox.lane_of("partner_events").terms, defaults.outbox.lane_of("partner_events").terms);
    EXPECT_EQ(shown.outbox.lane_of("partner_events").stream, defaults.outbox.lane_of("partner_events").stream);
    EXPECT_EQ(shown.outbox.lane_of("partner_events").rate_limit, defaults.outbox.lane_of("partner_events").rate_limit);
    EXPECT_EQ(shown.server.shutdown_seconds, defaults.server.shutdown_seconds);
    EXPECT_EQ(shown.server.health.enabled, defaults.server.health.enabled);
    EXPECT_EQ(shown.server.health.host, defaults.server.health.host);
    EXPECT_EQ(shown.server.health.port, defaults.server.health.port);
    EXPECT_EQ(shown.server.health.port_auto_increment, defaults.server.health.port_auto_increment);
    EXPECT_EQ(shown.server.health.drain_delay_seconds, defaults.server.health.drain_delay_seconds);
    EXPECT_EQ(shown.server.version_retry.enabled, defaults.server.version_retry.enabled);
    EXPECT_EQ(shown.server.version_retry.max_retries, defaults.server.version_retry.max_retries);
    EXPECT_EQ(shown.server.version_retry.base_delay_seconds, defaults.server.version_retry.base_delay_seconds);
    EXPECT_EQ(shown.server.version_retry.max_delay_seconds, defaults.server.version_retry.max_delay_seconds);
    EXPECT_EQ(shown.server.transient_retry.enabled, defaults.server.transient_retry.enabled);
    EXPECT_EQ(shown.server.transient_retry.max_retries, defaults.server.transient_retry.max_retries);
    EXPECT_EQ(shown.server.transient_retry.backoff, defaults.server.transient_retry.backoff);
    EXPECT_EQ(shown.server.transient_retry.base_delay_seconds, defaults.server.transient_retry.base_delay_seconds);
    EXPECT_EQ(shown.server.transient_retry.max_delay_seconds, defaults.server.transient_retry.max_delay_seconds);
    EXPECT_FALSE(defaults.commands.default_timeout_seconds) << "the only key without a default";
    EXPECT_EQ(shown.commands.idempotency_retention_hours, defaults.commands.idempotency_retention_hours);
    EXPECT_EQ(shown.commands.failure_retention_seconds, defaults.commands.failure_retention_seconds);
    EXPECT_EQ(shown.server.priority_lanes.enabled, defaults.server.priority_lanes.enabled);
    EXPECT_EQ(shown.server.priority_lanes.threshold, defaults.server.priority_lanes.threshold);
    EXPECT_EQ(shown.server.priority_lanes.backfill_suffix, defaults.server.priority_lanes.backfill_suffix);
    EXPECT_EQ(shown.event_sourcing.snapshot_every, defaults.event_sourcing.snapshot_every);
    EXPECT_EQ(shown.inbox.retention_hours, defaults.inbox.retention_hours);
    EXPECT_EQ(shown.log.level, defaults.log.level);
    EXPECT_EQ(shown.log.format, defaults.log.format);
    EXPECT_EQ(shown.telemetry.enabled, defaults.telemetry.enabled);
    EXPECT_EQ(shown.telemetry.endpoint, defaults.telemetry.endpoint);
    EXPECT_EQ(shown.telemetry.traces, defaults.telemetry.traces);
    EXPECT_EQ(shown.telemetry.metrics, defaults.telemetry.metrics);
    EXPECT_EQ(shown.telemetry.sampler, defaults.telemetry.sampler);
    EXPECT_EQ(shown.telemetry.sampling_ratio, defaults.telemetry.sampling_ratio);
    EXPECT_EQ(shown.telemetry.delay_seconds, defaults.telemetry.delay_seconds);
    EXPECT_EQ(shown.telemetry.max_queued_spans, defaults.telemetry.max_queued_spans);
    EXPECT_EQ(shown.telemetry.max_batch_spans, defaults.telemetry.max_batch_spans);
    EXPECT_EQ(shown.telemetry.metrics_interval_seconds, defaults.telemetry.metrics_interval_seconds);
    EXPECT_EQ(shown.telemetry.timeout_seconds, defaults.telemetry.timeout_seconds);
    EXPECT_EQ(shown.telemetry.shutdown_seconds, defaults.telemetry.shutdown_seconds);
}

/// The options of every section for subscriptions: each is shown, with the value that holds without it.
TEST(configuration_docs, the_example_shows_every_subscription_option_with_its_default) {
    const auto server = config::parse(text_of("/tests/integration/every_key.toml"), "/srv/shop/domain.toml",
                                      app::available_providers(), no_variable)
                            .server;
    for (const auto& options :
         {server.subscription, server.subscriptions.at("commands"), server.profiles.at("nightly")}) {
        detail::for_each_subscription_key(
            [&](const auto& key) { EXPECT_TRUE((options.*key.option).has_value()) << key.name; });
        subscription_options alone = options;
        alone.profile.clear();
        const auto shown = config::resolve_subscription("x", alone, {}, {}).decided;
        const auto usual = config::resolve_subscription("x", {}, {}, {}).decided;
        ASSERT_EQ(shown.size(), usual.size());
        for (std::size_t i = 0; i < shown.size(); ++i) EXPECT_EQ(shown[i].value, usual[i].value) << shown[i].key;
    }
    EXPECT_EQ(server.subscriptions.at("commands").profile, "nightly");
    EXPECT_EQ(server.default_subscription_profile, "production");
}

/// The table of profiles against the values that are built in.
TEST(configuration_docs, the_built_in_profiles_are_those_of_the_table) {
    const std::string document = text_of("/docs/configuration.md");
    for (const auto& [name, options] : config::built_in_profiles()) {
        const auto number = [](const auto& value) { return value ? fmt::format(" {}", *value) : std::string{" –"}; };
        const std::string row =
            fmt::format("| `{}` |{} |{} |{} |{} | {} |", name, number(options.messages_per_tick),
                        number(options.max_retries), number(options.retry_delay_seconds), number(options.max_held),
                        options.enable_dlq.value() ? "true" : "**false**");
        EXPECT_NE(document.find(row), std::string::npos) << row;
    }
}

std::vector<config::effective_setting> shown_settings() {
    return config::explain_text(text_of("/tests/integration/every_key.toml"), "/srv/shop/domain.toml",
                                app::available_providers(), no_variable)
        .settings;
}

/// `sluice config show` has every key that the loader reads.
TEST(configuration_docs, every_key_is_shown_as_an_effective_setting) {
    std::set<std::string> shown;
    for (const config::effective_setting& each : shown_settings()) {
        EXPECT_TRUE(shown.insert(each.path()).second) << each.path() << " is shown twice";
    }
    std::istringstream lines{text_of("/tests/integration/every_key.toml")};
    std::string section;
    std::size_t keys = 0;
    for (std::string line; std::getline(lines, line);) {
        if (line.starts_with('[')) section = line.substr(1, line.find(']') - 1);
        const auto end = line.find(" = ");
        if (line.starts_with('#') || end == std::string::npos) continue;
        EXPECT_TRUE(shown.contains(section + "." + line.substr(0, end))) << section << ": " << line;
        ++keys;
    }
    EXPECT_GT(keys, 90U) << "the example was not read";
}

/// The rows of the table below a heading.
std::vector<std::string> rows_below(const std::string& heading) {
    std::istringstream lines{text_of("/docs/configuration.md")};
    std::vector<std::string> rows;
    bool inside = false;
    for (std::string line; std::getline(lines, line);) {
        if (line.starts_with('#')) inside = line == heading;
        if (inside && line.starts_with("| `")) rows.push_back(line);
    }
    return rows;
}

/// What a key takes, as the tables say it.
std::string values_of(const config::provider_option& option) {
    using kind = config::provider_option::kind;
    switch (option.what) {
        case kind::whole:
            return fmt::format("{} … {}", option.lowest, option.highest);
        case kind::choice:
            return fmt::format("`{}`", fmt::join(option.words, "`, `"));
        case kind::flag:
            return "true, false";
        case kind::text:
        case kind::secret:
            return "text";
        case kind::file:
        case kind::database:
            return "path";
        case kind::table:
            return "table";
    }
    return {};
}

std::string default_of(const config::provider_option& option) {
    using kind = config::provider_option::kind;
    const bool is_word = option.what == kind::choice || option.what == kind::text;
    return is_word ? '`' + option.usual + '`' : option.usual;
}

/// How the row of a key begins; the page may say more about its purpose. A key without a default has words there.
std::string row_of(std::string_view provider, const config::provider_option& option) {
    const std::string beginning = fmt::format("| `{}` | {} | ", option.key, values_of(option));
    const std::string meaning = fmt::format(" | {}. {}", provider, option.purpose);
    return option.usual.empty() ? beginning + "*" + meaning : beginning + default_of(option) + meaning;
}

bool begins_with(const std::string& row, const std::string& pattern) {
    const auto open = pattern.find("| *");
    if (open == std::string::npos) return row.starts_with(pattern);
    const auto words = row.find(" | ", open + 2);
    return row.starts_with(pattern.substr(0, open)) && words != std::string::npos &&
           row.substr(words).starts_with(pattern.substr(open + 3));
}

/// Each key of a provider has one row in the table of its section, and no row names a key that its provider has not.
template <class Provider>
void expect_table(const std::string& heading, const std::vector<const Provider*>& providers) {
    std::vector<std::string> rows = rows_below(heading);
    for (const Provider* const provider : providers) {
        for (const config::provider_option& option : provider->options()) {
            const std::string expected = row_of(provider->name(), option);
            const auto removed = std::erase_if(rows, [&](const auto& row) { return begins_with(row, expected); });
            EXPECT_EQ(removed, 1U) << heading << " has no row\n" << expected;
        }
    }
    for (const std::string& row : rows) {
        for (const Provider* const provider : providers) {
            EXPECT_EQ(row.find(fmt::format(" | {}. ", provider->name())), std::string::npos) << row;
        }
    }
}

TEST(configuration_docs, the_tables_have_the_keys_of_every_provider_as_its_adapter_describes_them) {
    expect_table("### `[databases.NAME]`", app::available_providers().databases);
    expect_table("### `[brokers.NAME]`", app::available_providers().brokers);
}

/// The loader names the keys of a section when it meets one that it does not know.
TEST(configuration_docs, every_key_of_every_section_is_documented) {
    const std::string document = text_of("/docs/configuration.md");
    const std::string example = "\n" + text_of("/tests/integration/every_key.toml");
    const auto shown = shown_settings();
    for (const std::string section : {"databases.default",
                                      "brokers.default",
                                      "outbox",
                                      "outbox.retry",
                                      "outbox.cleanup",
                                      "outbox.lanes.partner_events",
                                      "server",
                                      "server.health",
                                      "server.subscription",
                                      "server.subscriptions.commands",
                                      "server.profiles.nightly",
                                      "server.version_retry",
                                      "server.transient_retry",
                                      "server.priority_lanes",
                                      "commands",
                                      "event_sourcing",
                                      "inbox",
                                      "log",
                                      "console",
                                      "console.users.anna",
                                      "console.tokens.ci",
                                      "console.proxy",
                                      "console.redact",
                                      "telemetry"}) {
        const std::string header = "\n[" + section + "]";
        std::string text = example;
        ASSERT_NE(text.find(header), std::string::npos) << section;
        text.insert(text.find('\n', text.find(header) + header.size()) + 1, "zzzzzzzz = 1\n");
        try {
            static_cast<void>(config::parse(text, "domain.toml", app::available_providers(), no_variable));
            ADD_FAILURE() << section << " knows zzzzzzzz";
        } catch (const config::invalid_configuration& e) {
            ASSERT_EQ(e.problems().size(), 1u) << e.what();
            std::istringstream keys{e.problems().front().remedy.substr(std::string_view{"known here: "}.size())};
            for (std::string key; std::getline(keys >> std::ws, key, ',');) {
                const bool is_section = document.find("`[" + section + "." + key + "]`") != std::string::npos;
                EXPECT_TRUE(is_section || document.find("| `" + key + "` |") != std::string::npos)
                    << section << "." << key;
                EXPECT_TRUE(std::ranges::any_of(shown,
                                                [&](const auto& each) {
                                                    return each.path() == section + "." + key ||
                                                           each.section == section + "." + key ||
                                                           each.section.starts_with(section + "." + key + ".");
                                                }))
                    << section << "." << key << " is not among the effective settings";
            }
        }
    }
}

}  // namespace
}  // namespace sluice
