#include "broker/redis/redis_walk.hpp"

#include <chrono>
#include <cstdint>
#include <limits>
#include <utility>

#include <sluice/error.hpp>
#include <sluice/message.hpp>

#include "broker/redis/keys.hpp"

namespace sluice::broker::redis {
namespace {

constexpr std::int64_t micros_per_milli = 1'000;

/// Empty for what is no message.
std::string walked_id(const reply& entry, std::size_t& bytes) {
    const auto body = entry[1].field(data_field);
    if (!body) return {};
    bytes += body->text().size();
    try {
        return message::decode(body->text()).id();
    } catch (const decode_error&) {
        return {};
    }
}

}  // namespace

redis_walk::redis_walk(std::function<reply(const commands&)> ask, std::string_view stream,
                       std::optional<date_time> from)
    : ask_{std::move(ask)}, stream_{stream}, begin_{from ? std::to_string(from->micros() / micros_per_milli) : "-"} {
    const auto newest = ask_(commands{}.add("XREVRANGE", stream_, "+", "-", "COUNT", 1));
    if (newest.size() > 0) end_ = newest[0][0].text();
}

std::vector<walked_entry> redis_walk::next(std::size_t limit) {
    std::vector<walked_entry> page;
    if (end_.empty()) return page;
    const auto begin = std::chrono::steady_clock::now();
    const auto entries = ask_(commands{}.add("XRANGE", stream_, begin_, end_, "COUNT", reading_.count(limit)));
    const auto took = std::chrono::steady_clock::now() - begin;
    std::size_t bytes = 0;
    page.reserve(entries.size());
    for (std::size_t i = 0; i < entries.size(); ++i) page.push_back({.message_id = walked_id(entries[i], bytes)});
    reading_.got(entries.size(), bytes, std::chrono::duration_cast<duration>(took));
    if (!page.empty()) begin_ = "(" + std::string{entries[entries.size() - 1][0].text()};
    return page;
}

/// The first entry, or what would be the first of a stream that is empty; nothing when there is no stream.
std::optional<entry_id> redis_walk::first_kept() {
    if (first_) return *first_;
    first_.emplace();
    const auto oldest = ask_(commands{}.add("XRANGE", stream_, "-", "+", "COUNT", 1));
    if (oldest.size() > 0) {
        *first_ = entry_id::parse(oldest[0][0].text());
    } else if (ask_(commands{}.add("EXISTS", stream_)).integer() != 0) {
        *first_ = entry_id::last_of(std::numeric_limits<std::int64_t>::max());
    }
    return *first_;
}

bool redis_walk::has_expired(std::string_view receipt, date_time confirmed_at) {
    const auto first = first_kept();
    if (!first) return false;
    if (const auto entry = entry_id::parse(receipt)) return *entry < *first;
    // Of what was recognised after a takeover, not even the publisher may know the entry.
    return confirmed_at.micros() / micros_per_milli < static_cast<std::int64_t>(first->milliseconds);
}

}  // namespace sluice::broker::redis
