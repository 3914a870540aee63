#include "config/setting.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <stdexcept>

#include "config/document.hpp"
#include "config/loader.hpp"
#include "config/section.hpp"
#include "unit/config/configured.hpp"

namespace sluice::config {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

const providers everything = build_with({"memory", "sqlite", "postgresql"}, {"inline", "sqlite", "redis"});

const std::string smallest = R"([databases.default]
provider = "memory"
[brokers.default]
provider = "inline"
)";

/// The settings of a file, by their paths.
class explained {
public:
    explicit explained(const std::string& text, std::map<std::string, std::string> variables = {})
        : all_{explain_text(text, "/srv/shop/domain.toml", everything,
                            [&](const std::string& name) -> std::optional<std::string> {
                                const auto found = variables.find(name);
                                return found == variables.end() ? std::nullopt : std::optional{found->second};
                            })
                   .settings} {}

    [[nodiscard]] const std::vector<effective_setting>& all() const { return all_; }
    [[nodiscard]] const effective_setting& at(const std::string& path) const {
        const auto found = std::ranges::find(all_, path, &effective_setting::path);
        if (found == all_.end()) throw std::out_of_range{path};
        return *found;
    }
    [[nodiscard]] std::int64_t whole(const std::string& path) const { return std::get<std::int64_t>(at(path).value); }
    [[nodiscard]] std::string text(const std::string& path) const { return std::get<std::string>(at(path).value); }

private:
    std::vector<effective_setting> all_;
};

TEST(setting, has_its_default_where_the_file_says_nothing) {
    const explained shown{smallest};
    EXPECT_EQ(shown.whole("outbox.messages_per_tick"), 50);
    EXPECT_EQ(shown.at("outbox.messages_per_tick").from, origin::built_in);
    EXPECT_EQ(shown.at("outbox.messages_per_tick").line, 0);
    EXPECT_TRUE(std::holds_alternative<std::monostate>(shown.at("commands.default_timeout_seconds").value));
    EXPECT_EQ(std::get<std::vector<std::string>>(shown.at("outbox.external_brokers").value),
              std::vector<std::string>{});
    EXPECT_EQ(shown.whole("outbox.lanes.default.shards"), 1);
    EXPECT_EQ(std::get<bool>(shown.at("server.health.port_auto_increment").value), true);
}

TEST(setting, says_which_line_overlay_and_variable_decide) {
    const explained shown{smallest + R"([outbox]
messages_per_tick = "${BATCH}"
tick_interval = "${TICK|2}"
[inbox]
retention_hours = 1
[production.inbox]
retention_hours = 2
[server.health]
port = 9000
)",
                          {{"BATCH", "7"}, {"SLUICE_ENV", "production"}}};
    const auto& batch = shown.at("outbox.messages_per_tick");
    EXPECT_EQ(std::get<std::int64_t>(batch.value), 7);
    EXPECT_EQ(batch.from, origin::file);
    EXPECT_EQ(batch.line, 6);
    EXPECT_EQ(batch.variables, (std::vector<used_variable>{{"BATCH", true}}));
    EXPECT_EQ(shown.at("outbox.tick_interval").variables, (std::vector<used_variable>{{"TICK", false}}));
    EXPECT_EQ(std::get<double>(shown.at("inbox.retention_hours").value), 2);
    EXPECT_EQ(shown.at("inbox.retention_hours").from, origin::overlay);
    EXPECT_EQ(shown.at("inbox.retention_hours").line, 11);
    EXPECT_EQ(std::get<bool>(shown.at("server.health.port_auto_increment").value), false) << "a port is named";
}

TEST(setting, of_a_subscription_is_what_handlers_get) {
    const explained shown{smallest + R"([server]
default_subscription_profile = "batch"
[server.subscription]
claim_seconds = 40
[server.subscriptions."shop.notify_customer"]
profile = "Fast"
concurrency = 4
[server.profiles.nightly]
inherits = "batch"
max_retries = 12
)"};
    EXPECT_EQ(shown.whole("server.subscription.messages_per_tick"), 500);
    EXPECT_EQ(shown.at("server.subscription.messages_per_tick").from, origin::profile);
    EXPECT_EQ(shown.at("server.subscription.messages_per_tick").profile, "batch");
    EXPECT_EQ(shown.whole("server.subscription.concurrency"), 1);
    EXPECT_EQ(shown.at("server.subscription.concurrency").from, origin::built_in);
    const std::string handler = "server.subscriptions.\"shop.notify_customer\".";
    EXPECT_EQ(shown.whole(handler + "messages_per_tick"), 10);
    EXPECT_EQ(shown.at(handler + "messages_per_tick").profile, "fast");
    EXPECT_EQ(shown.whole(handler + "concurrency"), 4);
    EXPECT_EQ(shown.at(handler + "concurrency").from, origin::file);
    EXPECT_EQ(std::get<double>(shown.at(handler + "claim_seconds").value), 40);
    EXPECT_EQ(shown.at(handler + "claim_seconds").inherited, "server.subscription");
    EXPECT_EQ(shown.at(handler + "claim_seconds").line, 8);
    EXPECT_EQ(shown.whole("server.profiles.nightly.max_retries"), 12);
    EXPECT_EQ(shown.at("server.profiles.nightly.messages_per_tick").profile, "batch");
    EXPECT_TRUE(std::holds_alternative<std::monostate>(shown.at("server.profiles.nightly.concurrency").value))
        << "a profile leaves it to the next in the order";
}

TEST(setting, holds_no_secret) {
    const explained shown{R"([databases.default]
provider = "postgresql"
database_uri = "postgresql://shop:s3cret@db/shop?password=s3cret"
schema = "postgresql://shop:s3cret@db/shop"
[databases.words]
provider = "postgresql"
database_uri = "host=db user=shop password=s3cret"
[brokers.default]
provider = "redis"
URI = "redis://:${PASSWORD}@cache:6379/0"
tls_ca_file = "redis://:s3cret@cache"
[brokers.odd]
provider = "redis"
URI = "redis://:s3@cret@cache:6379/0"
[outbox.lanes.default]
[server.subscriptions."redis://:s3cret@cache"]
concurrency = 2
)",
                          {{"PASSWORD", "s3cret"}}};
    for (const effective_setting& each : shown.all()) {
        for (const std::string& text : {each.section, each.key, each.resolved, each.profile, each.inherited}) {
            EXPECT_THAT(text, Not(HasSubstr("cret"))) << each.path();
        }
        const auto* text = std::get_if<std::string>(&each.value);
        EXPECT_THAT(text == nullptr ? "" : *text, Not(HasSubstr("cret")));
    }
    EXPECT_EQ(shown.text("databases.default.database_uri"), "postgresql://db/shop");
    EXPECT_TRUE(shown.at("databases.default.database_uri").masked);
    EXPECT_EQ(shown.text("brokers.default.URI"), "redis://cache:6379/0");
}

TEST(setting, of_a_table_shows_each_key_but_no_secret) {
    const node file = read_toml(
        "[t]\ncompression.type = \"lz4\"\n\"linger.ms\" = 5\nflag = true\nssl.key.password = \"s3cret\"\n"
        "list = [1]\n",
        "domain.toml");
    reading into;
    section in{&file, "brokers.b", into};
    std::map<std::string, std::string> texts;
    in.below("t").all_texts(texts);
    EXPECT_EQ(texts,
              (std::map<std::string, std::string>{
                  {"compression.type", "lz4"}, {"flag", "true"}, {"linger.ms", "5"}, {"ssl.key.password", "s3cret"}}));
    ASSERT_EQ(into.problems.size(), 1U) << "a list is no text";
    for (const auto& each : into.settings) {
        EXPECT_THAT(std::get<std::string>(each.value), Not(HasSubstr("s3cret")));
        EXPECT_EQ(each.masked, each.key == "ssl.key.password");
        EXPECT_EQ(each.section, "brokers.b.t");
    }
}

TEST(setting, of_a_secret_shows_nothing_of_it) {
    const node file = read_toml("secret = \"s3cret\"\npin = 4711\n", "domain.toml");
    reading found;
    section in{&file, "brokers.partner", found};
    std::string secret;
    in.text("secret", secret, sensitivity::secret);
    std::string pin;
    in.text("pin", pin, sensitivity::secret);
    in.report("secret", "is wrong", "change it");

    EXPECT_EQ(secret, "s3cret");
    ASSERT_EQ(found.settings.size(), 2U);
    EXPECT_EQ(std::get<std::string>(found.settings[0].value), "(hidden)");
    EXPECT_TRUE(found.settings[0].masked);
    ASSERT_EQ(found.problems.size(), 2U);
    for (const problem& each : found.problems) EXPECT_EQ(each.value, "(hidden)") << each.key;
}

TEST(setting, of_a_file_says_where_it_is) {
    const explained shown{R"([databases.default]
provider = "sqlite"
database_uri = "sqlite:///shop.db"
[brokers.default]
provider = "inline"
)"};
    EXPECT_EQ(shown.text("databases.default.database_uri"), "sqlite:///shop.db");
    EXPECT_FALSE(shown.at("databases.default.database_uri").masked);
    EXPECT_EQ(shown.at("databases.default.database_uri").resolved, "/srv/shop/shop.db");
    EXPECT_EQ(shown.text("databases.default.synchronous"), "full");
}

TEST(setting, is_there_for_every_option_of_every_provider) {
    const explained shown{R"([databases.default]
provider = "postgresql"
database_uri = "postgresql://db/shop"
[databases.embedded]
provider = "sqlite"
database_uri = "shop.db"
[brokers.default]
provider = "redis"
URI = "redis://cache"
[brokers.embedded]
provider = "sqlite"
URI = "broker.db"
)"};
    const auto expect_all = [&](const std::string& section, const provider& of) {
        for (const provider_option& option : of.options()) {
            const effective_setting& found = shown.at(section + "." + std::string{option.key});
            const bool has_value = !std::holds_alternative<std::monostate>(found.value);
            EXPECT_EQ(has_value, !option.usual.empty()) << found.path();
            EXPECT_EQ(option.usual.empty(), option.what == provider_option::kind::file) << found.path();
        }
    };
    expect_all("databases.default", *find_provider(everything.databases, "postgresql"));
    expect_all("databases.embedded", *find_provider(everything.databases, "sqlite"));
    expect_all("brokers.default", *find_provider(everything.brokers, "redis"));
    expect_all("brokers.embedded", *find_provider(everything.brokers, "sqlite"));
}

TEST(setting, stands_in_one_block_with_those_of_its_section) {
    const explained shown{smallest};
    std::vector<std::string> sections;
    for (const effective_setting& each : shown.all()) {
        if (sections.empty() || sections.back() != each.section) sections.push_back(each.section);
    }
    auto distinct = sections;
    std::ranges::sort(distinct);
    EXPECT_EQ(std::ranges::adjacent_find(distinct), distinct.end());
}

}  // namespace
}  // namespace sluice::config
