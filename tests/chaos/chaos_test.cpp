#include "chaos_test.hpp"

#include <fstream>
#include <iterator>
#include <map>

#include "service_files.hpp"

namespace sluice::chaos {

std::unique_ptr<service_process> chaos_test::service(const std::string& domain, std::vector<std::string> words,
                                                     const std::string& below) {
    const std::string log =
        (below.empty() ? "" : below + "-") + words.at(0) + "-" + std::to_string(++services_) + ".log";
    words.insert(words.begin(), SLUICE_PROGRAM);
    words.push_back("--domain=" + domain);
    return std::make_unique<service_process>(std::move(words), directory_ / below, directory_ / log);
}

void chaos_test::configure_as_example(const std::string& name, const std::string& below,
                                      const std::string& more) const {
    std::ifstream example{std::filesystem::path{EXAMPLES} / name / "domain.toml"};
    const std::string text{std::istreambuf_iterator{example}, {}};
    EXPECT_FALSE(text.empty()) << name << " is no example";
    std::filesystem::create_directories(directory_ / below);
    // What follows is the overlay for servers.
    std::ofstream{directory_ / below / "domain.toml"} << text.substr(0, text.find("\n# The same service on servers"))
                                                      << more;
}

std::string chaos_test::command_line(const std::string& command, const std::string& data) {
    return R"({"command": ")" + command + R"(", "data": {)" + data + "}}";
}

void chaos_test::send(service_process& committer, const std::string& command, const std::string& data) {
    if (!committer.running() || !committer.write_line(command_line(command, data))) committer.start();
}

std::size_t chaos_test::expect_delivered_once_and_in_order(const std::filesystem::path& database,
                                                           const std::filesystem::path& broker,
                                                           const std::string& events) {
    std::map<std::string, std::vector<std::string>> committed;
    for (const row& r :
         query(database, "SELECT stream, message_id FROM event_log WHERE " + events + " ORDER BY stream, position")) {
        committed[r[0]].push_back(r[1]);
    }
    std::map<std::string, std::vector<std::string>> delivered;
    for (const row& r : query(broker, "SELECT key, message_id FROM broker_message ORDER BY id")) {
        delivered[r[0]].push_back(r[1]);
    }
    EXPECT_EQ(delivered, committed) << broker;
    EXPECT_FALSE(committed.empty());
    return committed.size();
}

}  // namespace sluice::chaos
