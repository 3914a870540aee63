#include "store/sqlite/ledger_clean_up.hpp"

#include <algorithm>
#include <optional>
#include <span>

#include "store/sqlite/ledger_reader.hpp"
#include "store/sqlite/ledger_text.hpp"

namespace sluice::store::sqlite {
namespace {

stored_record read_stored(const rows& found, int part) {
    return {.part = part,
            .record = read_record(found),
            .owner = found.text(8),
            .epoch = static_cast<std::uint64_t>(found.integer(9))};
}

}  // namespace

std::vector<int> ledger_clean_up::parts_of(int broker) {
    std::vector<int> parts;
    for (auto found = parts_.query(broker); found.next();) parts.push_back(static_cast<int>(found.integer(0)));
    return parts;
}

std::optional<stored_record> ledger_clean_up::lowest(int broker, const std::vector<int>& parts) {
    std::optional<stored_record> lowest;
    for (const auto part : parts) {
        auto found = lowest_record_.query(broker, part);
        if (!found.next() || (lowest && lowest->record.upto < found.integer(1))) continue;
        lowest = read_stored(found, part);
    }
    return lowest;
}

bool ledger_clean_up::is_behind_an_old_one(int broker, const stored_record& one, date_time published_before,
                                           date_time now) {
    auto found = next_time_.query(broker, one.part, one.record.upto, to_sql(now));
    return found.next() && found.time(0) < published_before;
}

std::size_t ledger_clean_up::purge(const numbered_broker& broker, sequence mark, date_time published_before,
                                   date_time now, std::size_t limit) {
    const auto none = [](sequence) { return false; };
    const auto parts = parts_of(broker.number);
    std::size_t deleted = 0;
    sequence floor = 0;
    while (deleted < limit) {
        const auto one = lowest(broker.number, parts);
        if (!one) break;
        const auto listed = settlements_in(one->record);
        const bool counts_as_old =
            one->record.settled_at > now && is_behind_an_old_one(broker.number, *one, published_before, now);
        const auto stays = [&](const settlement& each) {
            const bool is_old = each.published_at < published_before || (counts_as_old && each.published_at > now);
            return each.seq > mark || !is_old;
        };
        const auto first_kept = std::ranges::find_if(listed, stays);
        const auto count = std::min(limit - deleted, static_cast<std::size_t>(first_kept - listed.begin()));
        if (count == 0) break;
        std::optional<ledger_record> rest;
        if (count < listed.size()) {
            rest = sort_settlements(std::span{listed}.subspan(count), listed.at(count).seq - 1, none).record;
        }
        delete_record_.run(broker.number, one->part, one->record.upto);
        deleted += count;
        floor = std::max(floor, listed.at(count - 1).seq);
        if (!rest) continue;
        write(broker.number, {.part = one->part, .record = *rest, .owner = one->owner, .epoch = one->epoch});
        break;
    }
    if (deleted > 0) brokers_.raise_floor(broker.number, floor, static_cast<std::int64_t>(deleted));
    return deleted;
}

void ledger_clean_up::write(int broker, const stored_record& one) {
    const auto& record = one.record;
    add_record_.run(broker, one.part, record.after, record.upto, record.count, number_list(record.seqs),
                    to_sql(record.settled_at), number_list(record.times), one.owner, one.epoch, record.receipt_head,
                    record.receipts);
}

void ledger_clean_up::merge(int broker, int part, sequence mark) {
    constexpr std::size_t most_examined = 2000;
    auto& merged_upto = merged_upto_.try_emplace({broker, part}, 0).first->second;
    std::vector<sequence> ends;
    std::vector<record_extent> extents;
    for (auto found = neighbours_.query(broker, part, merged_upto, mark, most_examined); found.next();) {
        ends.push_back(found.integer(1));
        extents.push_back({.count = found.integer(2), .settled_at = found.time(3)});
    }
    const auto groups = merge_groups(extents);
    std::size_t begin = 0;
    for (const auto size : groups) {
        merge_group(broker, part, std::span{ends}.subspan(begin, size));
        begin += size;
    }
    // The last group may grow yet.
    if (groups.size() > 1) merged_upto = ends.at(ends.size() - groups.back() - 1);
}

void ledger_clean_up::merge_group(int broker, int part, std::span<const sequence> ends) {
    if (ends.size() < 2) return;
    stored_record merged;
    std::vector<ledger_record> neighbours;
    for (const auto upto : ends) {
        auto found = record_.query(broker, part, upto);
        if (!found.next()) return;
        merged = read_stored(found, part);
        neighbours.push_back(merged.record);
    }
    auto record = merge_records(neighbours);
    if (!record) return;
    for (const auto upto : ends) delete_record_.run(broker, part, upto);
    merged.record = *std::move(record);
    write(broker, merged);
}

}  // namespace sluice::store::sqlite
