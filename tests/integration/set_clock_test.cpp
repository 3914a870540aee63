#include <algorithm>
#include <csignal>

#include <sluice/json.hpp>

#include "integration/tiny_project.hpp"
#include "support/eventually.hpp"

/// Somebody sets the machine's clock while the real server works.
namespace sluice::testing {
namespace {

using namespace std::chrono_literals;

/// Makes a process's calendar another one, and leaves its monotonic clock alone. Empty when it is not installed.
std::string calendar_library() {
    for (const auto& folder : std::filesystem::directory_iterator{"/usr/lib"}) {
        const auto library = folder.path() / "faketime" / "libfaketimeMT.so.1";
        if (std::error_code trouble; std::filesystem::exists(library, trouble)) return library.string();
    }
    return {};
}

class set_clock : public tiny_project {
protected:
    void SetUp() override {
        if (calendar_library().empty()) GTEST_SKIP() << "libfaketime is not installed";
        configure(tiny_configuration);
        set("+0");
    }
    void set(const std::string& offset) const {
        std::ofstream{directory_ / "offset.new"} << offset << '\n';
        std::filesystem::rename(directory_ / "offset.new", directory_ / "offset");
    }
    [[nodiscard]] program_settings with_that_clock() const {
        auto all = settings();
        all.environment["LD_PRELOAD"] = calendar_library();
        all.environment["FAKETIME_TIMESTAMP_FILE"] = (directory_ / "offset").string();
        all.environment["FAKETIME_NO_CACHE"] = "1";
        all.environment["FAKETIME_DONT_FAKE_MONOTONIC"] = "1";
        all.environment["DONT_FAKE_MONOTONIC"] = "1";
        return all;
    }
    [[nodiscard]] json::value partner_lane() const {
        const auto result = run_sluice({"status", "--json"}, settings());
        return json::parse(result.out).at("lanes").at(1);
    }
};

TEST_F(set_clock, back_by_an_hour_during_an_outage_prolongs_it_for_no_lane) {
    create_counter("c-1");
    std::filesystem::rename(directory_ / "partner", directory_ / "away");
    running_program server{{"server"}, with_that_clock()};
    ASSERT_TRUE(server.wait_for_text("server.ready"));
    ASSERT_TRUE(server.wait_for_text("lane.paused"));
    set("-1h");
    std::filesystem::rename(directory_ / "away", directory_ / "partner");
    EXPECT_TRUE(eventually([&] { return partner_lane().at("published").as_int() == 1; }, 60s));
    create_counter("c-2");
    EXPECT_TRUE(eventually([&] { return partner_lane().at("published").as_int() == 2; }, 60s)) << "and so for good";
    server.signal(SIGTERM);
    EXPECT_EQ(server.finish().code, 0);
}

}  // namespace
}  // namespace sluice::testing
