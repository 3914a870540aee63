#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>

#include <sluice/error.hpp>

#include "app/compose.hpp"
#include "broker/broker.hpp"
#include "config/loader.hpp"

/// Whatever a password holds, encoded or not, no half of it is in anything that configuration and adapters say.
namespace sluice::app {
namespace {

using ::testing::AnyOf;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* first_half = "Qx7A";
constexpr const char* second_half = "Zk9B";

std::string encoded(const std::string& text) {
    std::string all;
    for (const char c : text) {
        std::array<char, 4> code{};
        std::snprintf(code.data(), code.size(), "%%%02X", static_cast<unsigned>(static_cast<unsigned char>(c)));
        all += code.data();
    }
    return all;
}

std::vector<std::string> nasty_passwords() {
    std::vector<std::string> all;
    for (const char* between :
         {"",     "@",   "/",   "%",    "#",      "?",        ":",    "&",         "=",   "'",  "\\",   " ",  "[",
          "]",    ",",   "\"",  "+",    ";",      "://",      "%zz",  "%41",       "\n",  "@/", "/@",   "?@", "#@",
          "@:1/", "?a=", "&a=", "/0?a", "' user", " host=x ", "'b='", "@h:1/d?a=", ":1@", "ä",  "\x7f", "}",  "${"}) {
        for (const bool encode : {false, true}) {
            all.push_back(first_half + (encode ? encoded(between) : between) + second_half);
            all.push_back((encode ? encoded(between) : between) + std::string{first_half} + second_half);
            all.push_back(std::string{"1"} + (encode ? encoded(between) : between) + second_half);
        }
    }
    return all;
}

struct place {
    const char* kind;
    const char* provider;
    const char* before;
    const char* behind;
};

constexpr std::array places{
    place{"databases", "postgresql", "postgresql://shop:", "@127.0.0.1:1/shop"},
    place{"databases", "postgresql", "postgres://shop:", "@127.0.0.1:1/shop?sslmode=require"},
    place{"databases", "postgresql", "postgresql://shop:", "@[::1]:1,127.0.0.1:2/shop"},
    place{"databases", "postgresql", "postgresql://shop@127.0.0.1:1/shop?password=", ""},
    place{"databases", "postgresql", "postgresql://shop@127.0.0.1:1/shop?password=", "&user=shop"},
    place{"databases", "postgresql", "host=127.0.0.1 port=1 dbname=shop user=shop password=", ""},
    place{"databases", "postgresql", "host=127.0.0.1 port=1 password='", "' dbname=shop user=shop"},
    place{"databases", "postgresql", "password=", " host=127.0.0.1 port=1 dbname=shop"},
    place{"databases", "postgresql", "postgresql:/shop:", "@127.0.0.1:1/shop"},
    place{"databases", "sqlite", "postgresql://shop:", "@127.0.0.1:1/shop"},
    place{"databases", "sqlite", "sqlite://shop:", "@host/shop.db"},
    place{"databases", "sqlite", "sqlite:///shop:", "@host/shop.db"},
    place{"databases", "sqlite", "host=127.0.0.1 password=", ""},
    place{"databases", "memory", "postgresql://shop:", "@127.0.0.1:1/shop"},
    place{"databases", "mysql", "mysql://shop:", "@127.0.0.1:1/shop"},
    place{"brokers", "redis", "redis://:", "@127.0.0.1:1/0"},
    place{"brokers", "redis", "redis://me:", "@127.0.0.1:1"},
    place{"brokers", "redis", "redis://127.0.0.1:1/0?password=", ""},
    place{"brokers", "redis", "unix://me:", "@/run/redis.sock?db=1"},
    place{"brokers", "redis", "redis:/:", "@127.0.0.1:1/0"},
    place{"brokers", "redis", "me:", "@127.0.0.1:1/0"},
    place{"brokers", "sqlite", "redis://me:", "@127.0.0.1:1/0"},
};

/// Everything that is told of an address before a server was reached.
std::string told_of(const place& at, const std::string& uri) {
    const bool database = std::string_view{at.kind} == "databases";
    std::string text = std::string{"["} + at.kind + ".odd]\nprovider = \"" + at.provider + "\"\n" +
                       (database ? "database_uri" : "URI") + " = \"${SECRET}\"\n";
    text += "[databases.default]\nprovider = \"memory\"\n[brokers.default]\nprovider = \"inline\"\n";
    try {
        const auto with = config::parse(text, "domain.toml", available_providers(), [&](const std::string& name) {
            return name == "SECRET" ? std::optional{uri} : std::nullopt;
        });
        const commit::adapters made = make_adapters(with);
        return database ? made.databases.at("odd")->describe() : made.brokers.at("odd")->describe();
    } catch (const error& e) {
        return e.what();
    }
}

TEST(shown_addresses, hold_no_part_of_a_password) {
    for (const place& at : places) {
        for (const std::string& password : nasty_passwords()) {
            const std::string uri = at.before + password + at.behind;
            EXPECT_THAT(told_of(at, uri), Not(AnyOf(HasSubstr(first_half), HasSubstr(second_half)))) << uri;
        }
    }
}

TEST(shown_addresses, hold_no_part_of_a_password_in_the_wrong_place) {
    constexpr std::array lines{"[brokers.default]\nprovider = \"${SECRET}\"",
                               "[brokers.default]\nprovider = \"inline\"\nURI = [\"${SECRET}\"]",
                               "[outbox]\nbroker = \"${SECRET}\"",
                               "[outbox]\nexternal_brokers = \"${SECRET}\"",
                               "[outbox]\nexternal_brokers = [\"${SECRET}\"]",
                               "[log]\nlevel = \"${SECRET}\"",
                               "[server]\nshutdown_seconds = \"${SECRET}\"",
                               "[server.health]\nport = \"${SECRET}\"",
                               "[inbox]\nsecret = \"${SECRET}\""};
    for (const char* line : lines) {
        for (const std::string& password : nasty_passwords()) {
            const std::string uri = "redis://me:" + password + "@127.0.0.1:1/0";
            std::string told = "accepted";
            try {
                static_cast<void>(config::parse(
                    line, "domain.toml", available_providers(),
                    [&](const std::string& name) { return name == "SECRET" ? std::optional{uri} : std::nullopt; }));
            } catch (const error& e) {
                told = e.what();
            }
            EXPECT_THAT(told, Not(AnyOf(HasSubstr(first_half), HasSubstr(second_half)))) << line << '\n' << uri;
        }
    }
}

TEST(shown_addresses, hold_no_part_of_a_password_that_looks_like_a_variable) {
    for (const char* password : {"${Qx7A-Zk9B}", "${Qx7A", "Qx7A${}Zk9B", "Qx7A$${Zk9B}"}) {
        const std::string text = "[databases.default]\nprovider = \"postgresql\"\ndatabase_uri = \"postgresql://me:" +
                                 std::string{password} + "@h/d\"\n";
        try {
            static_cast<void>(config::parse(text, "domain.toml", available_providers(),
                                            [](const std::string&) { return std::optional<std::string>{}; }));
            FAIL() << "[brokers.default] is missing";
        } catch (const error& e) {
            EXPECT_THAT(e.what(), Not(AnyOf(HasSubstr(first_half), HasSubstr(second_half)))) << password;
        }
    }
}

}  // namespace
}  // namespace sluice::app
