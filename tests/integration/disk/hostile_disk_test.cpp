// The real program on disks that are full, read-only or lose what was not flushed, and without file descriptors.

#include <gmock/gmock.h>
#include <sqlite3.h>
#include <sys/mount.h>
#include <sys/resource.h>

#include <array>
#include <chrono>
#include <fstream>
#include <iterator>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "integration/cli_program.hpp"
#include "integration/disk/power_cut.hpp"
#include "support/eventually.hpp"
#include "support/temporary_directory.hpp"

namespace sluice::testing {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;
using ::testing::HasSubstr;

/// A project of the tiny domain in a directory that may become a file system of its own.
class hostile_disk : public ::testing::Test {
protected:
    ~hostile_disk() override {
        if (mounted_) ::umount2(disk().c_str(), MNT_DETACH);
    }

    [[nodiscard]] fs::path disk() const { return directory_ / "disk"; }

    void set_up(const std::string& synchronous = "full") {
        fs::create_directories(disk());
        std::ofstream{disk() / "domain.toml"} << R"([databases.default]
provider = "sqlite"
database_uri = "sqlite:///tiny.db"
synchronous = ")" << synchronous << R"("
[brokers.default]
provider = "sqlite"
URI = "default.db"
[brokers.partner]
provider = "sqlite"
URI = "partner.db"
[brokers.elsewhere]
provider = "sqlite"
URI = "elsewhere.db"
[outbox]
external_brokers = ["partner"]
tick_interval = 0.2
max_probe_interval_seconds = 0.2
[server.health]
enabled = false
)";
        ASSERT_EQ(run({"db", "setup"}).code, 0);
    }

    /// A file system of this size for the disk. False where that is not allowed.
    [[nodiscard]] bool mount_disk(const std::string& size) {
        fs::create_directories(disk());
        mounted_ = ::mount("tmpfs", disk().c_str(), "tmpfs", 0, ("size=" + size).c_str()) == 0;
        return mounted_;
    }

    [[nodiscard]] program_settings settings() const {
        program_settings all{.directory = disk(), .environment = {{"SLUICE_DOMAIN", TINY_DOMAIN}}};
        all.environment.insert(environment_.begin(), environment_.end());
        return all;
    }
    [[nodiscard]] program_result run(const std::vector<std::string>& arguments, std::string_view input = {}) const {
        return run_sluice(arguments, settings(), input);
    }
    [[nodiscard]] bool create(const std::string& id) const {
        return run({"process", "CreateCounter", R"({"counter_id":")" + id + "\"}"}).code == 0;
    }
    [[nodiscard]] std::unique_ptr<running_program> serve() const {
        auto server = std::make_unique<running_program>(std::vector<std::string>{"server"}, settings());
        EXPECT_TRUE(server->wait_for_text("server.ready"));
        return server;
    }

    /// Ids in the first column of a query, with how often each is there.
    [[nodiscard]] std::map<std::string, int> ids(const char* file, const char* query) const {
        std::map<std::string, int> found;
        sqlite3* db = nullptr;
        if (sqlite3_open((disk() / file).c_str(), &db) == SQLITE_OK) {
            sqlite3_busy_timeout(db, 10'000);
            const auto take = [](void* into, int, char** row, char**) {
                ++(*static_cast<std::map<std::string, int>*>(into))[row[0] == nullptr ? "" : row[0]];
                return 0;
            };
            sqlite3_exec(db, query, take, &found, nullptr);
        }
        sqlite3_close(db);
        return found;
    }
    [[nodiscard]] std::map<std::string, int> in_log() const {
        return ids("tiny.db", "SELECT message_id FROM event_log WHERE type = 'Tiny.CounterCreated.v1'");
    }
    [[nodiscard]] std::map<std::string, int> at_partner() const {
        return ids("partner.db",
                   "SELECT e.message_id FROM broker_entry AS e JOIN broker_stream AS s ON s.id = e.stream_id "
                   "WHERE s.name = 'tiny::counter'");
    }

    /// Whatever was committed reaches the partner once.
    void expect_everything_arrives() {
        const auto committed = in_log();
        EXPECT_TRUE(eventually([&] { return at_partner().size() >= committed.size(); }, 60s));
        EXPECT_EQ(at_partner(), committed);
        EXPECT_TRUE(ids("tiny.db", "SELECT message_id FROM outbox WHERE status = 'abandoned'").empty());
    }

    temporary_directory directory_;
    std::map<std::string, std::string> environment_;

private:
    bool mounted_ = false;
};

/// Files as they were at their last flush.
void give_back_what_was_not_flushed(const fs::path& notes) {
    for (const auto& entry : fs::directory_iterator{notes}) {
        std::string name = entry.path().filename();
        for (char& c : name) c = c == '%' ? '/' : c;
        std::ifstream in{entry.path(), std::ios::binary};
        std::vector<std::pair<power_cut_note, std::string>> changes;
        power_cut_note note{};
        while (in.read(reinterpret_cast<char*>(&note), sizeof note)) {
            std::string before(static_cast<std::size_t>(note.length), '\0');
            in.read(before.data(), note.length);
            changes.emplace_back(note, std::move(before));
        }
        if (changes.empty() || !fs::exists(name)) continue;
        std::fstream file{name, std::ios::binary | std::ios::in | std::ios::out};
        for (auto change = changes.rbegin(); change != changes.rend(); ++change) {
            file.seekp(change->first.at);
            file.write(change->second.data(), static_cast<std::streamsize>(change->second.size()));
        }
        file.close();
        fs::resize_file(name, static_cast<std::uintmax_t>(changes.front().first.file_size));
    }
}

class power_cut : public hostile_disk {
protected:
    void SetUp() override {
        if (std::string_view{SLUICE_SANITIZERS} != "") GTEST_SKIP() << "the sanitizers want to be loaded first";
        fs::create_directories(notes());
        environment_ = {{"LD_PRELOAD", POWER_CUT_LIBRARY}, {"POWER_CUT_WATCHED", disk()}, {"POWER_CUT_NOTES", notes()}};
    }

    [[nodiscard]] fs::path notes() const { return directory_ / "notes"; }

    /// Creates counters while a server publishes, and takes the power away. The ids of events that were confirmed.
    std::set<std::string> work_until_the_power_fails() {
        std::set<std::string> confirmed;
        const auto server = serve();
        for (int i = 0; i < 6; ++i) {
            const std::string id = "c-" + std::to_string(i);
            EXPECT_TRUE(create(id));
            confirmed.insert("tiny::counter-" + id + "-0.1");
        }
        EXPECT_TRUE(eventually([&] { return !at_partner().empty(); }, 60s));
        server->signal(SIGKILL);
        static_cast<void>(server->finish());
        environment_.clear();
        give_back_what_was_not_flushed(notes());
        for (const auto& file : fs::directory_iterator{disk()}) {
            if (file.path().string().ends_with("-shm")) fs::remove(file);
        }
        return confirmed;
    }
};

TEST_F(power_cut, loses_nothing_that_was_confirmed_and_doubles_nothing) {
    set_up();
    const auto confirmed = work_until_the_power_fails();
    const auto committed = in_log();
    for (const std::string& id : confirmed) EXPECT_TRUE(committed.contains(id)) << id << " was confirmed and is lost";
    const auto arrived = at_partner();
    for (const auto& [id, times] : ids("tiny.db",
                                       "SELECT message_id FROM outbox WHERE target_broker = 'partner' "
                                       "AND status = 'published'")) {
        EXPECT_TRUE(arrived.contains(id)) << id << " counts as published, and the broker has lost it";
    }
    const auto server = serve();
    expect_everything_arrives();
}

TEST_F(power_cut, takes_the_last_commits_when_they_are_not_flushed) {
    set_up("normal");
    const auto confirmed = work_until_the_power_fails();
    EXPECT_LT(in_log().size(), confirmed.size()) << "synchronous = normal promises no more, or the test cannot see it";
}

TEST_F(hostile_disk, that_is_full_loses_nothing_and_stops_nothing_for_ever) {
    if (!mount_disk("3m")) GTEST_SKIP() << "no file system may be mounted here";
    set_up();
    const auto server = serve();
    ASSERT_TRUE(create("before"));
    program_result filled;
    filled.code = 0;
    for (int run_number = 0; filled.code == 0 && run_number < 60; ++run_number) {
        std::string lines;
        for (int i = 0; i < 100; ++i) {
            lines += R"({"command":"CreateCounter","data":{"counter_id":"f-)" + std::to_string(run_number) + "-" +
                     std::to_string(i) + "\"}}\n";
        }
        filled = run({"process", "-"}, lines);
    }
    EXPECT_EQ(filled.code, 1);
    EXPECT_THAT(filled.err, HasSubstr("full"));
    ASSERT_EQ(::mount("tmpfs", disk().c_str(), "tmpfs", MS_REMOUNT, "size=100m"), 0);
    EXPECT_TRUE(create("after"));
    expect_everything_arrives();
    EXPECT_TRUE(in_log().contains("tiny::counter-after-0.1"));
}

TEST_F(hostile_disk, that_is_read_only_is_named_and_works_when_it_is_not_any_more) {
    if (!mount_disk("20m")) GTEST_SKIP() << "no file system may be mounted here";
    set_up();
    ASSERT_TRUE(create("before"));
    ASSERT_EQ(::mount("tmpfs", disk().c_str(), "tmpfs", MS_REMOUNT | MS_RDONLY, ""), 0);
    const auto refused = run({"process", "CreateCounter", R"({"counter_id":"during"})"});
    EXPECT_NE(refused.code, 0);
    EXPECT_THAT(refused.err,
                ::testing::AnyOf(HasSubstr("readonly"), HasSubstr("read-only"), HasSubstr("unable to open")));
    ASSERT_EQ(::mount("tmpfs", disk().c_str(), "tmpfs", MS_REMOUNT, ""), 0);
    EXPECT_TRUE(create("after"));
    const auto server = serve();
    expect_everything_arrives();
}

TEST_F(hostile_disk, without_descriptors_goes_on_with_what_is_open) {
    set_up();
    const auto server = serve();
    ASSERT_TRUE(create("before"));
    ASSERT_TRUE(eventually([&] { return !at_partner().empty(); }, 60s));
    rlimit usual{};
    ASSERT_EQ(::prlimit(server->pid(), RLIMIT_NOFILE, nullptr, &usual), 0);
    const rlimit none{.rlim_cur = 3, .rlim_max = usual.rlim_max};
    ASSERT_EQ(::prlimit(server->pid(), RLIMIT_NOFILE, &none, nullptr), 0);
    for (const char* id : {"d-1", "d-2", "d-3"}) EXPECT_TRUE(create(id));
    ASSERT_EQ(::prlimit(server->pid(), RLIMIT_NOFILE, &usual, nullptr), 0);
    expect_everything_arrives();
    server->signal(SIGTERM);
    EXPECT_EQ(server->finish().code, 0) << "it was never in doubt that it would end";
}

}  // namespace
}  // namespace sluice::testing
