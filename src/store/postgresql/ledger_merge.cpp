#include "store/postgresql/ledger_merge.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "store/lane_name.hpp"
#include "store/ledger.hpp"
#include "store/postgresql/exchange.hpp"
#include "store/postgresql/record_reader.hpp"
#include "store/postgresql/sessions.hpp"

namespace sluice::store::postgresql {
namespace {

constexpr std::int64_t most_examined = 2000;

struct kept_record {
    ledger_record record{};
    std::string owner{};
    std::uint64_t epoch = 0;
};

kept_record read_kept_record(const result& found, int row) {
    return {.record = read_record(found, row),
            .owner = found.text(row, 8),
            .epoch = static_cast<std::uint64_t>(found.integer(row, 9))};
}

/// Nothing when they stay as they are.
std::optional<kept_record> merge_group(std::span<const kept_record> group) {
    if (group.size() < 2) return std::nullopt;
    std::vector<ledger_record> records;
    for (const auto& each : group) records.push_back(each.record);
    auto merged = merge_records(records);
    if (!merged) return std::nullopt;
    return kept_record{.record = *std::move(merged), .owner = group.back().owner, .epoch = group.back().epoch};
}

/// Writes each in the place of those that it was made of. False when the timeline is another one.
bool replace(lane_link& link, connection& server, const lease_grant& grant, std::string_view target_broker,
             std::span<const kept_record> merged) {
    const std::int32_t part = ledger_part(shard_of(grant.lane));
    exchange trip{server};
    link.guard_timeline(trip, server, grant);
    trip.add(link.sql.fence, parameters{grant.lane, grant.owner, grant.epoch});
    for (const auto& [record, owner, epoch] : merged) {
        trip.add(link.sql.remove_records,
                 parameters{grant.lane, grant.owner, grant.epoch, target_broker, part, record.after, record.upto});
        trip.add(link.sql.write_record,
                 parameters{grant.lane, grant.owner, grant.epoch, target_broker, part, record.after, record.upto,
                            static_cast<std::int32_t>(record.count), array_of(record.seqs), record.settled_at,
                            array_of(record.times), record.receipt_head, record.receipts, owner, epoch});
    }
    return link.run_guarded(trip, server, grant);
}

}  // namespace

void ledger_merge::run(lane_link& link, const lease_grant& grant, std::string_view target_broker) {
    auto* const server = link.db_of(grant);
    if (server == nullptr) return;
    const std::int32_t part = ledger_part(shard_of(grant.lane));
    auto& merged_upto = merged_upto_.try_emplace(grant.lane, 0).first->second;
    exchange look{*server};
    link.guard_timeline(look, *server, grant);
    const auto place = look.add(link.sql.records, parameters{grant.lane, grant.owner, grant.epoch, target_broker, part,
                                                             merged_upto, most_examined});
    if (!link.run_guarded(look, *server, grant)) return;

    std::vector<kept_record> kept;
    std::vector<record_extent> extents;
    for (int row = 0; row < look[place].rows(); ++row) {
        kept.push_back(read_kept_record(look[place], row));
        extents.push_back({.count = kept.back().record.count, .settled_at = kept.back().record.settled_at});
    }
    const auto groups = merge_groups(extents);
    std::vector<kept_record> merged;
    std::size_t begin = 0;
    for (const auto size : groups) {
        if (auto one = merge_group(std::span{kept}.subspan(begin, size))) merged.push_back(*std::move(one));
        begin += size;
    }
    if (!merged.empty() && !replace(link, *server, grant, target_broker, merged)) return;
    // The last group may grow yet.
    if (groups.size() > 1) merged_upto = kept.at(kept.size() - groups.back() - 1).record.upto;
}

}  // namespace sluice::store::postgresql
