#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <set>
#include <span>
#include <sstream>
#include <string>
#include <vector>

#include <gmock/gmock.h>

#include "broker/kafka/kafka_broker.hpp"
#include "support/eventually.hpp"
#include "support/kafka_admin.hpp"
#include "support/kafka_server.hpp"
#include "support/shell.hpp"
#include "support/temporary_directory.hpp"

namespace sluice::broker::kafka {

using sluice::testing::eventually;
using sluice::testing::kafka_server;
using std::chrono::milliseconds;
using std::chrono::seconds;

/// A message that owns its texts.
struct letter {
    std::string id;
    std::string key;
    std::string body;
    std::string stream = "shop::order";
};

/// `a0`, `a1`, … of one key.
inline std::vector<letter> letters(const std::string& prefix, int first, int count, const std::string& key = "k") {
    std::vector<letter> made;
    for (int i = first; i < first + count; ++i) {
        const auto id = prefix + std::to_string(i);
        made.push_back({.id = id, .key = key, .body = id});
    }
    return made;
}

inline std::vector<verdict> send(publisher& to, const std::vector<letter>& all, duration timeout = seconds{30},
                                 const producer& from = {}) {
    std::vector<outgoing> batch;
    for (const auto& each : all) {
        batch.push_back({.stream = each.stream, .message_id = each.id, .key = each.key, .body = each.body});
    }
    return to.publish(batch, from, timeout);
}

template <class Verdict>
std::size_t count_of(const std::vector<verdict>& all) {
    return static_cast<std::size_t>(
        std::count_if(all.begin(), all.end(), [](const verdict& v) { return std::holds_alternative<Verdict>(v); }));
}

inline std::string reason_of(const verdict& v) {
    if (const auto* no = std::get_if<refused>(&v)) return no->reason;
    if (const auto* away = std::get_if<unreachable>(&v)) return away->reason;
    return {};
}

/// Names of topics that no other test has.
inline std::string fresh_prefix() {
    static const auto run = std::chrono::system_clock::now().time_since_epoch().count();
    static std::atomic<int> count = 0;
    return "i" + std::to_string(run) + "-" + std::to_string(++count) + ".";
}

inline kafka_options options_for(const kafka_server& server, int partitions = 1) {
    return {.uri = server.uri(),
            .prefix = fresh_prefix(),
            .create_topics = true,
            .partitions = partitions,
            .properties = {{"heartbeat.interval.ms", "200"}}};
}

/// Until the broker refuses bodies of 25 kB: it hears of a topic's new limit a moment later. Some are there by then.
[[nodiscard]] inline bool takes_no_big_ones(publisher& to, const producer& from = {}) {
    const std::vector<letter> probe{{"probe", "probe", std::string(25'000, 'p')}};
    return eventually([&] { return count_of<refused>(send(to, probe, seconds{30}, from)) == 1; });
}

/// The bodies in a topic, as kcat reads them, partition by partition.
inline std::vector<std::string> log_of(const kafka_server& server, const std::string& topic,
                                       const std::string& isolation = "read_uncommitted") {
    const auto text = sluice::testing::run_command("timeout 20 kcat -C -e -q -b " + server.servers() + " -t " + topic +
                                                   " -X isolation.level=" + isolation + " -f '%s\\n' </dev/null");
    std::vector<std::string> bodies;
    std::istringstream lines{text};
    for (std::string line; std::getline(lines, line);) bodies.push_back(line);
    return bodies;
}

/// Without those probes.
inline std::vector<std::string> without_probes(std::vector<std::string> all) {
    std::erase_if(all, [](const std::string& each) { return each.starts_with("pp"); });
    return all;
}

/// Without what came again.
inline std::vector<std::string> first_ones(const std::vector<std::string>& all) {
    std::vector<std::string> found;
    std::set<std::string> seen;
    for (const auto& each : all) {
        if (seen.insert(each).second) found.push_back(each);
    }
    return found;
}

/// True when a copy came behind something newer of its key: bodies are `a0`, `a1`, …
inline bool is_inverted(const std::vector<std::string>& all) {
    int newest = -1;
    for (const auto& each : all) {
        const int number = std::stoi(each.substr(1));
        if (number < newest) return true;
        newest = number;
    }
    return false;
}

inline std::vector<std::string> bodies(const std::vector<letter>& all) {
    std::vector<std::string> found;
    for (const auto& each : all) found.push_back(each.body);
    return found;
}

/// Reads until there are so many, or the time is up.
inline std::vector<delivery> read_all(reader& from, std::size_t count, duration within = sluice::testing::long_enough) {
    std::vector<delivery> found;
    base::wake_signal nobody;
    const auto give_up = std::chrono::steady_clock::now() + within;
    while (found.size() < count && std::chrono::steady_clock::now() < give_up) {
        for (auto& each : from.read(0, count - found.size(), date_time{})) found.push_back(std::move(each));
        if (found.size() < count) static_cast<void>(from.wait(nobody, milliseconds{200}));
    }
    return found;
}

}  // namespace sluice::broker::kafka
