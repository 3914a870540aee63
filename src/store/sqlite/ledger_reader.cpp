#include "store/sqlite/ledger_reader.hpp"

#include <algorithm>
#include <utility>

#include "store/sqlite/ledger_text.hpp"

namespace sluice::store::sqlite {

ledger_record read_record(const rows& found) {
    ledger_record record{.after = found.integer(0),
                         .upto = found.integer(1),
                         .count = found.integer(2),
                         .seqs = numbers_in(found.view(3)),
                         .settled_at = found.time(4),
                         .times = numbers_in(found.view(5)),
                         .receipt_head = found.text(6)};
    if (!found.null(7)) record.receipts = found.text(7);
    return record;
}

void ledger_reader::open(int broker) {
    broker_ = broker;
    end_ = 0;
    parts_.clear();
    details_.clear();
    for (auto found = read_parts_.query(broker); found.next();) {
        const auto& part =
            parts_.emplace_back(known_part{.number = static_cast<int>(found.integer(0)), .end = found.integer(1)});
        end_ = std::max(end_, part.end);
    }
}

void ledger_reader::open(int broker, const shard& carried) {
    open(broker);
    const auto first = ledger_part({.number = 1, .count = carried.count});
    const auto last = ledger_part({.number = carried.count, .count = carried.count});
    const auto own = ledger_part(carried);
    std::erase_if(parts_, [&](const known_part& part) {
        return part.number >= first && part.number <= last && part.number != own;
    });
    end_ = 0;
    for (const auto& part : parts_) end_ = std::max(end_, part.end);
}

sequence ledger_reader::end_of(int part) const noexcept {
    const auto found = std::ranges::find(parts_, part, &known_part::number);
    return found == parts_.end() ? 0 : found->end;
}

sequence ledger_reader::begin() {
    auto lowest = end_;
    for (const auto& part : parts_) {
        auto found = begin_.query(broker_, part.number);
        if (found.next()) lowest = std::min(lowest, found.integer(0));
    }
    return lowest;
}

bool ledger_reader::lists(sequence seq) { return part_of(seq) != nullptr; }

ledger_reader::known_part* ledger_reader::part_of(sequence seq) {
    if (seq > end_) return nullptr;
    for (auto& part : parts_) {
        if (seq > part.end) continue;
        if (seq < part.first || seq > part.upto) look_at(part, seq);
        if (seq <= part.after) continue;
        if (!part.numbers || std::ranges::binary_search(*part.numbers, seq - part.after)) return &part;
    }
    return nullptr;
}

void ledger_reader::look_at(known_part& part, sequence seq) {
    auto found = find_record_.query(broker_, part.number, seq);
    if (!found.next()) return;
    part.after = found.integer(0);
    part.upto = found.integer(1);
    part.first = std::min(part.after + 1, seq);
    part.numbers.reset();
    if (!found.null(2)) part.numbers = numbers_in(found.view(2));
}

std::optional<settlement> ledger_reader::find(sequence seq) {
    const auto* const part = part_of(seq);
    if (part == nullptr) return std::nullopt;
    auto at = std::ranges::lower_bound(details_, seq, {}, &settlement::seq);
    if (at == details_.end() || at->seq != seq) {
        auto found = read_record_.query(broker_, part->number, part->upto);
        if (!found.next()) return std::nullopt;
        details_ = settlements_in(read_record(found));
        at = std::ranges::lower_bound(details_, seq, {}, &settlement::seq);
    }
    return *at;
}

std::vector<sequence> ledger_reader::listed(sequence after, sequence upto) {
    std::vector<sequence> all;
    const auto add = [&](sequence seq) {
        if (seq > after && seq <= upto) all.push_back(seq);
    };
    for (const auto& part : parts_) {
        for (auto found = read_above_.query(broker_, part.number, after); found.next();) {
            const auto below = found.integer(0);
            if (below >= upto) break;
            if (found.null(2)) {
                for (sequence number = 1; number <= found.integer(1); ++number) add(below + number);
            } else {
                for (const auto number : numbers_in(found.view(2))) add(below + number);
            }
        }
    }
    std::ranges::sort(all);  // each part ascends for itself
    return all;
}

std::vector<settlement> ledger_reader::settlements(sequence after, sequence upto) {
    std::vector<settlement> all;
    for (const auto& part : parts_) {
        for (auto found = read_whole_above_.query(broker_, part.number, after); found.next();) {
            if (found.integer(0) >= upto) break;
            for (auto& each : settlements_in(read_record(found))) {
                if (each.seq > after && each.seq <= upto) all.push_back(std::move(each));
            }
        }
    }
    return all;
}

std::int64_t ledger_reader::count_above(sequence seq) {
    std::int64_t count = 0;
    for (const auto& part : parts_) {
        for (auto found = read_above_.query(broker_, part.number, seq); found.next();) {
            const auto after = found.integer(0);
            if (after >= seq) {
                count += found.integer(1);
            } else if (found.null(2)) {
                count += found.integer(1) - (seq - after);
            } else {
                const auto numbers = numbers_in(found.view(2));
                count += numbers.end() - std::ranges::upper_bound(numbers, seq - after);
            }
        }
    }
    return count;
}

}  // namespace sluice::store::sqlite
