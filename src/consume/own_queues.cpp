#include "consume/own_queues.hpp"

#include <map>
#include <string>
#include <utility>

#include <fmt/format.h>

#include <sluice/error.hpp>

namespace sluice::consume {

namespace {

/// Who reads from a queue.
struct queue_reader {
    const route* of = nullptr;
    const std::string* stream = nullptr;

    [[nodiscard]] bool is_the_same_as(const queue_reader& other) const {
        return of->group == other.of->group && *stream == *other.stream;
    }
};

std::string told(const queue_reader& reader) {
    return fmt::format("{} (group `{}` on stream `{}`)", reader.of->name, reader.of->group, *reader.stream);
}

}  // namespace

void require_own_queues(const config::configuration& with, const std::vector<route>& routes) {
    std::map<std::pair<std::string, std::string>, queue_reader> readers;  // by broker and queue
    std::string problems;
    for (const route& each : routes) {
        const auto broker = with.brokers.find(each.broker);
        if (broker == with.brokers.end()) continue;
        for (const std::string& stream : each.streams) {
            const std::string queue = broker->second.kind->queue_of(each.group, stream);
            if (queue.empty()) continue;
            const queue_reader reader{&each, &stream};
            const auto [first, is_new] = readers.try_emplace({each.broker, queue}, reader);
            if (is_new || first->second.is_the_same_as(reader)) continue;
            problems += fmt::format(
                "{}{} and {} would share the queue `{}` of broker `{}`, and each message would come to one of them "
                "only; give one of the handlers another name in its options",
                problems.empty() ? "" : "\n", told(first->second), told(reader), queue, each.broker);
        }
    }
    if (!problems.empty()) throw configuration_error{problems};
}

}  // namespace sluice::consume
