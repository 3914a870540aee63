#include "store/ledger.hpp"

#include <algorithm>
#include <chrono>
#include <iterator>
#include <limits>
#include <string_view>

namespace sluice::store {
namespace {

constexpr sequence widest_range = std::numeric_limits<std::int32_t>::max();
/// From the first of its times to the last. Fits into the microseconds of `ledger_record::times`.
constexpr duration longest_batch = std::chrono::minutes{30};

constexpr std::int64_t most_merged = 1000;
/// Far less than what a record can hold, as the times of its events differ, too.
constexpr duration longest_merged = std::chrono::minutes{10};

bool is_ordinary(const settlement& one) {
    return one.status == row_status::published && one.published_at && one.retry_count == 0 && one.last_error.empty() &&
           !one.next_retry_at && !one.abandoned_at && one.receipt.find(receipt_separator) == std::string::npos;
}

std::vector<std::string_view> receipts_in(std::string_view list) {
    std::vector<std::string_view> tails;
    for (;;) {
        const auto end = list.find(receipt_separator);
        tails.push_back(list.substr(0, end));
        if (end == std::string_view::npos) return tails;
        list.remove_prefix(end + 1);
    }
}

std::size_t common_beginning(std::string_view one, std::string_view other) {
    const auto differ = std::ranges::mismatch(one, other);
    return static_cast<std::size_t>(differ.in1 - one.begin());
}

void write_receipts(std::span<const settlement* const> listed, ledger_record& record) {
    if (std::ranges::all_of(listed, [](const settlement* one) { return one->receipt.empty(); })) return;
    std::string_view head = listed.front()->receipt;
    std::size_t bytes = 0;
    for (const auto* one : listed) {
        head = head.substr(0, common_beginning(head, one->receipt));
        bytes += one->receipt.size() + 1;
    }
    std::string tails;
    tails.reserve(bytes - head.size() * listed.size());
    for (const auto* one : listed) {
        if (one != listed.front()) tails += receipt_separator;
        tails.append(one->receipt, head.size());
    }
    record.receipt_head = head;
    record.receipts = std::move(tails);
}

ledger_record record_of(std::span<const settlement* const> listed) {
    ledger_record record{.after = listed.front()->seq - 1,
                         .upto = listed.back()->seq,
                         .count = static_cast<std::int64_t>(listed.size()),
                         .settled_at = listed.front()->published_at.value()};
    if (record.upto - record.after != record.count) {
        record.seqs.reserve(listed.size());
        for (const auto* one : listed) record.seqs.push_back(static_cast<std::int32_t>(one->seq - record.after));
    }
    for (const auto* one : listed) record.settled_at = std::max(record.settled_at, one->published_at.value());
    const auto is_late = [&record](const settlement* one) { return one->published_at != record.settled_at; };
    if (std::ranges::any_of(listed, is_late)) {
        record.times.reserve(listed.size());
        for (const auto* one : listed) {
            record.times.push_back(static_cast<std::int32_t>((record.settled_at - one->published_at.value()).count()));
        }
    }
    write_receipts(listed, record);
    return record;
}

}  // namespace

sorted_settlements sort_settlements(std::span<const settlement> settlements, sequence top,
                                    const std::function<bool(sequence)>& has_row) {
    sorted_settlements sorted;
    std::vector<const settlement*> listed;
    listed.reserve(settlements.size());
    date_time first{};
    date_time last{};
    for (const auto& one : settlements) {
        const bool has_place =
            one.seq > top &&
            (listed.empty() || (one.seq > listed.back()->seq && one.seq - listed.front()->seq < widest_range));
        const auto at = one.published_at.value_or(first);
        const bool is_of_this_time = listed.empty() || std::max(last, at) - std::min(first, at) < longest_batch;
        if (has_place && is_of_this_time && is_ordinary(one) && !has_row(one.seq)) {
            first = listed.empty() ? at : std::min(first, at);
            last = listed.empty() ? at : std::max(last, at);
            listed.push_back(&one);
        } else {
            sorted.rows.push_back(&one);
        }
    }
    if (!listed.empty()) sorted.record = record_of(listed);
    return sorted;
}

std::vector<settlement> settlements_in(const ledger_record& record) {
    std::vector<std::string_view> tails;
    if (record.receipts) tails = receipts_in(*record.receipts);
    std::vector<settlement> all;
    all.reserve(static_cast<std::size_t>(record.count));
    for (std::size_t at = 0; at < static_cast<std::size_t>(record.count); ++at) {
        const auto number = record.seqs.empty() ? static_cast<sequence>(at) + 1 : sequence{record.seqs.at(at)};
        const duration before{record.times.empty() ? 0 : record.times.at(at)};
        auto& one = all.emplace_back();
        one.seq = record.after + number;
        one.published_at = record.settled_at - before;
        if (record.receipts) one.receipt = record.receipt_head + std::string{tails.at(at)};
    }
    return all;
}

std::vector<std::size_t> merge_groups(std::span<const record_extent> records) {
    std::vector<std::size_t> groups;
    std::int64_t events = 0;
    date_time begun{};
    for (const auto& each : records) {
        const bool fits = !groups.empty() && events + each.count <= most_merged &&
                          std::chrono::abs(each.settled_at - begun) < longest_merged;
        if (!fits) {
            groups.push_back(0);
            events = 0;
            begun = each.settled_at;
        }
        ++groups.back();
        events += each.count;
    }
    return groups;
}

std::optional<ledger_record> merge_records(std::span<const ledger_record> records) {
    std::vector<settlement> listed;
    for (const auto& each : records) std::ranges::move(settlements_in(each), std::back_inserter(listed));
    if (listed.empty()) return std::nullopt;
    auto sorted = sort_settlements(listed, listed.front().seq - 1, [](sequence) { return false; });
    if (!sorted.rows.empty()) return std::nullopt;
    return std::move(sorted.record);
}

}  // namespace sluice::store
