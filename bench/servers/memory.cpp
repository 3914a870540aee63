#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <fmt/core.h>

#include "servers/backlog.hpp"
#include "servers/pg_link.hpp"
#include "servers/report.hpp"
#include "servers/sections.hpp"

namespace sluice::bench {

namespace {

/// The example's program in a directory with its configuration.
class shop {
public:
    shop(const std::filesystem::path& directory, const std::map<std::string, std::string>& settings)
        : directory_{directory} {
        std::filesystem::create_directories(directory_);
        std::filesystem::copy_file(BENCH_SHOP_CONFIGURATION, directory_ / "domain.toml");
        for (const auto& [name, value] : settings) ::setenv(name.c_str(), value.c_str(), 1);
    }
    shop(const shop&) = delete;
    shop& operator=(const shop&) = delete;
    ~shop() {
        if (server_ <= 0) return;
        ::kill(server_, SIGTERM);
        ::waitpid(server_, nullptr, 0);
    }

    void run(const std::vector<std::string>& arguments) const {
        int status = 0;
        ::waitpid(start(arguments), &status, 0);
        if (status != 0) throw std::runtime_error{"`sluice " + arguments.front() + "` failed; see " + log().string()};
    }
    void start_server() { server_ = start({"server"}); }

    [[nodiscard]] bool runs() const { return ::waitpid(server_, nullptr, WNOHANG) == 0; }
    /// Most that the server has kept in memory so far, in MB.
    [[nodiscard]] double peak_memory() const {
        std::ifstream status{"/proc/" + std::to_string(server_) + "/status"};
        for (std::string line; std::getline(status, line);) {
            if (line.starts_with("VmHWM:")) return std::stod(line.substr(line.find(':') + 1)) / 1024;
        }
        return 0;
    }

private:
    [[nodiscard]] std::filesystem::path log() const { return directory_ / "sluice.log"; }

    [[nodiscard]] pid_t start(const std::vector<std::string>& arguments) const {
        std::vector<std::string> words{BENCH_SLUICE_PROGRAM};
        words.insert(words.end(), arguments.begin(), arguments.end());
        words.emplace_back("--domain=" BENCH_SHOP_LIBRARY);
        std::vector<char*> pointers;
        for (auto& word : words) pointers.push_back(word.data());
        pointers.push_back(nullptr);
        const pid_t child = ::fork();
        if (child < 0) throw std::runtime_error{"no process"};
        if (child == 0) {
            const int out = ::open(log().c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
            ::dup2(out, STDOUT_FILENO);
            ::dup2(out, STDERR_FILENO);
            if (::chdir(directory_.c_str()) == 0) ::execv(BENCH_SLUICE_PROGRAM, pointers.data());
            ::_exit(127);
        }
        return child;
    }

    std::filesystem::path directory_;
    pid_t server_ = -1;
};

}  // namespace

void measure_memory(const bed& on) {
    print_section("memory: `sluice server` of examples/shop draining two lanes", "", "");
    const auto uri = on.postgresql.make_database("shop");
    const private_redis partner_redis{on.directory / "fulfillment"};
    shop program{on.directory / "shop",
                 {{"SLUICE_ENV", "servers"},
                  {"SHOP_DATABASE", uri},
                  {"SHOP_REDIS", on.redis.uri()},
                  {"FULFILLMENT_REDIS", partner_redis.uri()}}};
    program.run({"db", "setup"});
    program.run({"process", "PlaceOrder", R"({"order_id": "o-1"})"});
    program.run({"process", "ShipOrder", R"({"order_id": "o-1", "tracking_number": "TRACK-1"})"});

    const pg_link db{uri};
    const std::vector<std::string> targets{"default", "fulfillment_broker"};
    keep_only_template(db, db.scalar("SELECT message_id FROM event_log ORDER BY seq DESC LIMIT 1"));
    add_copies(db, on.size.rows, targets);

    program.start_server();
    const auto patience = std::chrono::steady_clock::now() + std::chrono::minutes{2};
    std::string left;
    do {
        std::this_thread::sleep_for(std::chrono::milliseconds{200});
        if (!program.runs()) throw std::runtime_error{"`sluice server` ended"};
        left = db.scalar("SELECT count(*) FROM outbox WHERE status <> 'published'");
    } while (left != "0" && std::chrono::steady_clock::now() < patience);
    if (left != "0") throw std::runtime_error{left + " rows were not published"};
    print_line(fmt::format("most resident, 2 x {} rows, MB", on.size.rows), "", "", program.peak_memory(),
               {.floor = 60, .aim = 25, .upper = true, .digits = 0});
    on.redis.flush();
}

}  // namespace sluice::bench
