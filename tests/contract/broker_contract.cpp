#include "contract/broker_contract.hpp"

namespace sluice::broker::contract {

std::vector<verdict> publish(publisher& to, const std::vector<note>& notes, const producer& from) {
    std::vector<outgoing> batch;
    batch.reserve(notes.size());
    for (const auto& n : notes) batch.push_back({.stream = n.stream, .message_id = n.id, .key = n.key, .body = n.body});
    return to.publish(batch, from, 60 * second);  // a sanitizer makes everything slower
}

void deliver(broker& to, const std::vector<note>& notes) {
    for (const auto& v : publish(*to.open_publisher(), notes)) ASSERT_EQ(sluice::testing::told(v), "delivered");
}

std::vector<note> notes(std::string_view prefix, int n, int keys) {
    std::vector<note> made;
    for (int i = 0; i < n; ++i) {
        const auto id = std::string{prefix} + std::to_string(i);
        made.push_back({.id = id, .key = "order-" + std::to_string(i % keys), .body = id});
    }
    return made;
}

std::vector<std::string> entries_of(const std::vector<delivery>& deliveries) {
    std::vector<std::string> entries;
    for (const auto& d : deliveries) entries.push_back(d.entry);
    return entries;
}

std::vector<std::string> bodies_of(const std::vector<delivery>& deliveries) {
    std::vector<std::string> bodies;
    for (const auto& d : deliveries) bodies.push_back(d.body);
    return bodies;
}

std::vector<std::string> everything_in(broker& in, const std::string& stream) {
    static int groups = 0;
    const auto audit = sluice::testing::open_consumer(
        in, stream, {.group = "audit-" + std::to_string(++groups), .consumer = "auditor"});
    return bodies_of(audit->read(1'000'000, noon));
}

}  // namespace sluice::broker::contract
