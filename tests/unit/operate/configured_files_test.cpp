#include "operate/configured_files.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <fstream>

#include "support/certificate.hpp"
#include "support/temporary_directory.hpp"

namespace sluice::operate {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

const date_time now = date_time::parse("2026-11-23T12:00:00Z");
constexpr duration day = 24h;

/// A server whose address and keys name files.
class acme final : public config::broker_provider {
public:
    [[nodiscard]] std::string_view name() const override { return "acme"; }
    [[nodiscard]] config::address_use address() const override { return config::address_use::server; }
    [[nodiscard]] std::span<const config::provider_option> options() const override {
        using kind = config::provider_option::kind;
        static const std::array all{config::provider_option{.key = "tls_ca_file", .what = kind::file},
                                    config::provider_option{.key = "tls_key_file", .what = kind::file},
                                    config::provider_option{.key = "schema", .what = kind::text},
                                    config::provider_option{.key = "inbox_file", .what = kind::database}};
        return all;
    }
    [[nodiscard]] std::span<const std::string_view> file_parameters() const override {
        using namespace std::string_view_literals;
        static constexpr std::array keys{"sslrootcert"sv, "passfile"sv};
        return keys;
    }
};

TEST(configured_files, are_those_of_keys_and_of_the_address) {
    const acme kind;
    config::configuration with;
    with.brokers["partner"] = {.name = "partner",
                               .uri = "acme://user@host/x?sslrootcert=%2Fetc%2Fca.pem&passfile=/etc/pass&other=/etc/x",
                               .options = {{"tls_ca_file", "/etc/tls/ca.pem"},
                                           {"tls_key_file", ""},
                                           {"schema", "s"},
                                           {"inbox_file", "/srv/inbox.db"}},
                               .kind = &kind};
    std::vector<std::string> shown;
    for (const configured_file& each : configured_files(with)) {
        shown.push_back(each.element + " " + each.key + " " + each.file.string());
    }
    EXPECT_THAT(shown, ElementsAre("brokers.partner tls_ca_file /etc/tls/ca.pem",
                                   "brokers.partner sslrootcert /etc/ca.pem", "brokers.partner passfile /etc/pass"))
        << "and no database: to open and close it would end the locks of its library";
    with.brokers["partner"].uri = "host=h sslrootcert=system passfile='/a b'";
    EXPECT_EQ(configured_files(with).back().file, "/a b");
    EXPECT_THAT(configured_files(with), SizeIs(2)) << "`system` is no file";
    with.brokers["partner"].uri = "acme://u:a@b@host/?sslrootcert=/etc/ca.pem";
    EXPECT_THAT(configured_files(with), SizeIs(1)) << "an address that can be read in two ways";
}

TEST(configured_files, are_those_of_the_telemetry_too) {
    config::configuration with;
    EXPECT_THAT(configured_files(with), IsEmpty());
    with.telemetry.tls_ca_file = "/etc/tls/ca.pem";
    with.telemetry.tls_key_file = "/etc/tls/key.pem";
    std::vector<std::string> shown;
    for (const configured_file& each : configured_files(with)) {
        shown.push_back(each.element + " " + each.key + " " + each.file.string());
    }
    EXPECT_THAT(shown, ElementsAre("telemetry tls_ca_file /etc/tls/ca.pem", "telemetry tls_key_file /etc/tls/key.pem"));
}

TEST(configured_files, are_those_of_the_console_too) {
    config::configuration with;
    with.console_tls = {.certificate_file = "/etc/tls/console.pem", .key_file = "/etc/tls/console.key"};
    std::vector<std::string> shown;
    for (const configured_file& each : configured_files(with)) {
        shown.push_back(each.element + " " + each.key + " " + each.file.string());
    }
    EXPECT_THAT(shown, ElementsAre("console tls_certificate_file /etc/tls/console.pem",
                                   "console tls_key_file /etc/tls/console.key"));
}

class files : public ::testing::Test {
protected:
    configured_file put(const std::string& key, const std::string& text, mode_t mode = 0600) const {
        const auto file = directory_ / key;
        std::ofstream{file} << text;
        std::filesystem::permissions(file, static_cast<std::filesystem::perms>(mode));
        return {"brokers.partner", key, file};
    }
    static std::string certificate(duration begun, duration left, bool is_authority = false) {
        return testing::make_certificate(
            {.name = "shop", .valid_from = now - begun, .valid_to = now + left, .is_authority = is_authority});
    }
    static std::string code_of(const configured_file& file) {
        const auto found = certificate_findings({file}, now);
        return found.empty() ? "none" : found.front().code;
    }

    testing::temporary_directory directory_;
};

TEST_F(files, a_secret_that_everybody_may_read_is_told_and_a_certificate_is_none) {
    const std::string public_one = certificate(1h, 24h);
    EXPECT_THAT(open_secrets({put("tls_certificate_file", public_one, 0644), put("sslcrl", "x", 0644),
                              put("token_file", "x", 0640)}),
                IsEmpty());
    const auto found = open_secrets({put("token_file", "x", 0644)});
    ASSERT_THAT(found, SizeIs(1));
    EXPECT_EQ(found.front().code, "OPEN_TO_OTHERS");
    EXPECT_THAT(found.front().message, HasSubstr("token_file"));
    EXPECT_THAT(found.front().remedy, HasSubstr("chmod o-rwx " + (directory_ / "token_file").string()));
    EXPECT_THAT(open_secrets({put("tls_certificate_file", public_one + testing::key_like_text, 0644)}), SizeIs(1))
        << "the key is in the same file";
}

TEST_F(files, a_certificate_warns_in_the_last_quarter_of_its_time_but_a_month_before_at_most) {
    EXPECT_EQ(code_of(put("sslcert", certificate(60 * day, 31 * day))), "none");
    EXPECT_EQ(code_of(put("sslcert", certificate(335 * day, 29 * day))), "CERTIFICATE_EXPIRES");
    EXPECT_EQ(code_of(put("sslcert", certificate(16h, 8h))), "none") << "made for a day, and renewed twice a day";
    EXPECT_EQ(code_of(put("sslcert", certificate(19h, 5h))), "CERTIFICATE_EXPIRES");
    EXPECT_EQ(code_of(put("sslcert", certificate(day, 0h))), "CERTIFICATE_EXPIRED");
    EXPECT_EQ(code_of(put("sslcert", certificate(-1h, day))), "CERTIFICATE_NOT_YET_VALID");
}

TEST_F(files, a_finding_names_certificate_file_and_time) {
    const auto file = put("sslcert", certificate(day, -2h));
    const auto found = certificate_findings({file}, now);
    ASSERT_THAT(found, SizeIs(1));
    EXPECT_EQ(found.front().level, config::severity::error);
    EXPECT_EQ(found.front().message, "the certificate CN = shop in " + file.file.string() +
                                         " (sslcert) has expired at 2026-11-23T10:00:00+00:00");
}

TEST_F(files, of_a_chain_the_first_end_counts_and_of_authorities_the_last) {
    EXPECT_EQ(code_of(put("sslcert", certificate(day, 100 * day) + certificate(day, -1h, true))),
              "CERTIFICATE_EXPIRED");
    EXPECT_EQ(code_of(put("tls_ca_file", certificate(day, -1h, true) + certificate(day, 100 * day, true))), "none");
    EXPECT_EQ(code_of(put("tls_ca_file", certificate(day, -1h, true))), "CERTIFICATE_EXPIRED");
}

TEST_F(files, what_should_be_a_certificate_and_is_none_is_an_error) {
    EXPECT_EQ(code_of(put("tls_ca_file", "no certificate")), "CERTIFICATE_UNREADABLE");
    EXPECT_EQ(code_of({"brokers.partner", "tls_ca_file", directory_ / "nowhere"}), "CERTIFICATE_UNREADABLE");
    EXPECT_EQ(code_of(put("tls_key_file", testing::key_like_text)), "none");
    EXPECT_EQ(code_of(put("passfile", "host:5432:db:user:password")), "none");
}

}  // namespace
}  // namespace sluice::operate
