#include "config/fingerprint.hpp"

#include <gtest/gtest.h>

#include <fstream>

#include <sluice/error.hpp>

#include "support/temporary_directory.hpp"

namespace sluice::config {
namespace {

class fingerprint : public ::testing::Test {
protected:
    [[nodiscard]] std::string of(const std::string& text) const {
        std::ofstream{directory_ / "domain.toml"} << text;
        return fingerprint_without_log(directory_ / "domain.toml");
    }

    testing::temporary_directory directory_;
};

TEST_F(fingerprint, does_not_see_the_log_comments_and_order) {
    const std::string before = of("[outbox]\nbroker = \"a\"\ntick_interval = 1\n");
    EXPECT_EQ(of("# hello\n[outbox]\ntick_interval   = 1\nbroker = 'a'\n"), before);
    EXPECT_EQ(of("[log]\nlevel = \"debug\"\n[outbox]\nbroker = \"a\"\ntick_interval = 1\n"), before);
    const std::string overlaid = of("[outbox]\nbroker = \"a\"\n[production.log]\nlevel = \"warn\"\n");
    EXPECT_EQ(of("[outbox]\nbroker = \"a\"\n[production.log]\nlevel = \"info\"\nformat = \"json\"\n"), overlaid);
}

TEST_F(fingerprint, sees_every_other_value) {
    const std::string before = of("[outbox]\nbroker = \"a\"\ntick_interval = 1\n");
    for (const char* text :
         {"[outbox]\nbroker = \"b\"\ntick_interval = 1\n", "[outbox]\nbroker = \"a\"\ntick_interval = 2\n",
          "[outbox]\nbroker = \"a\"\ntick_interval = 1.0\n", "[outbox]\nbroker = \"a\"\n",
          "[outbox]\nbroker = \"a\"\ntick_interval = 1\nexternal_brokers = [\"a\"]\n",
          "[outbox]\nbroker = \"a\"\ntick_interval = true\n", "[other]\nbroker = \"a\"\ntick_interval = 1\n"}) {
        EXPECT_NE(of(text), before) << text;
    }
}

TEST_F(fingerprint, sees_console_and_telemetry) {
    EXPECT_NE(of("[console]\nsend_commands = true\n"), of("[console]\nsend_commands = false\n"));
    EXPECT_NE(of("[telemetry]\nenabled = true\n"), of("[telemetry]\nenabled = false\n"));
}

TEST_F(fingerprint, a_broker_may_be_called_log) {
    EXPECT_NE(of("[brokers.log]\nprovider = \"sqlite\"\nURI = \"a\"\n"),
              of("[brokers.log]\nprovider = \"sqlite\"\nURI = \"b\"\n"));
}

TEST_F(fingerprint, keeps_texts_apart) {
    EXPECT_NE(of("a = [\"b\", \"c\"]\n"), of("a = [\"b\\\", \\\"c\"]\n"));
    EXPECT_THROW(static_cast<void>(fingerprint_without_log(directory_ / "nowhere.toml")), configuration_error);
}

}  // namespace
}  // namespace sluice::config
