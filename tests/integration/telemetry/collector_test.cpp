#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include <fmt/format.h>

#include "integration/cli_program.hpp"
#include "integration/telemetry/telemetry_section.hpp"
#include "support/eventually.hpp"
#include "support/free_port.hpp"
#include "support/shell.hpp"
#include "support/temporary_directory.hpp"

// A real OpenTelemetry Collector takes what the real program sends.
namespace sluice::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr auto of_caller = "4bf92f3577b34da6a3ce929d0e0e4736";

constexpr auto collector_configuration = R"(
receivers:
  otlp:
    protocols:
      http:
        endpoint: 127.0.0.1:{}
exporters:
  debug:
    verbosity: detailed
service:
  telemetry:
    metrics:
      level: none
  pipelines:
    traces:
      receivers: [otlp]
      exporters: [debug]
    metrics:
      receivers: [otlp]
      exporters: [debug]
)";

constexpr auto observed_service = R"([databases.default]
provider = "sqlite"
database_uri = "sqlite:///tiny.db"
[brokers.default]
provider = "sqlite"
URI = "inner.db"
[brokers.elsewhere]
provider = "sqlite"
URI = "elsewhere.db"
)";

/// Writes down all that it takes.
class collector {
public:
    explicit collector(const std::filesystem::path& directory) : log_{directory / "collector.log"} {
        const auto configuration = directory / "collector.yaml";
        std::ofstream{configuration} << fmt::format(fmt::runtime(collector_configuration), port_);
        const auto program = std::filesystem::path{COLLECTOR} / "program";
        pid_ = std::stoi(
            run_command(fmt::format("{} --config file:{} >{} 2>&1 </dev/null & echo $!", shell_word(program.native()),
                                    shell_word(configuration.native()), shell_word(log_.native()))));
        EXPECT_TRUE(eventually([this] { return has("Everything is ready"); })) << text();
    }
    collector(const collector&) = delete;
    collector& operator=(const collector&) = delete;
    ~collector() { ::kill(pid_, SIGKILL); }

    [[nodiscard]] int port() const noexcept { return port_; }
    [[nodiscard]] std::string text() const {
        std::ifstream in{log_};
        return {std::istreambuf_iterator<char>{in}, {}};
    }
    [[nodiscard]] bool has(std::string_view what) const { return text().find(what) != std::string::npos; }

private:
    std::filesystem::path log_;
    int port_ = free_port();
    pid_t pid_ = -1;
};

TEST(telemetry_collector, takes_spans_and_metrics_of_a_service) {
    std::ifstream why_not{std::filesystem::path{COLLECTOR} / "unavailable"};
    if (std::string why; std::getline(why_not, why)) GTEST_SKIP() << why;

    const temporary_directory directory;
    const collector takes{directory.path()};
    std::ofstream{directory / "domain.toml"} << observed_service << telemetry_to(takes.port());
    const program_settings tiny{.directory = directory.path(), .environment = {{"SLUICE_DOMAIN", TINY_DOMAIN}}};
    const auto made = run_sluice({"process", "CreateCounter", R"({"counter_id":"c-1"})", "--traceparent",
                                  fmt::format("00-{}-00f067aa0ba902b7-01", of_caller)},
                                 tiny);
    ASSERT_EQ(made.code, 0) << made.err;
    running_program engine{{"server"}, tiny};
    EXPECT_TRUE(eventually([&] {
        return takes.has("Name           : publish tiny::counter") && takes.has("Name: sluice_outbox_published_total");
    })) << takes.text();
    engine.signal(SIGTERM);
    const auto ended = engine.finish();
    EXPECT_EQ(ended.code, 0) << ended.err;
    EXPECT_THAT(ended.err, Not(HasSubstr("telemetry."))) << "it refused something";

    const std::string taken = takes.text();
    for (const char* each : {"service.name: Str(tiny)", "Name           : command CreateCounter",
                             "Name           : commit default", "messaging.system: Str(sqlite)",
                             "Name: sluice_outbox_latency_seconds", "DataType: Histogram", "Exemplar #0"}) {
        EXPECT_THAT(taken, HasSubstr(each));
    }
    EXPECT_THAT(taken, HasSubstr(fmt::format("Trace ID       : {}", of_caller)));
}

}  // namespace
}  // namespace sluice::testing
