#include "store/postgresql/record_reader.hpp"

#include <cstdint>
#include <vector>

namespace sluice::store::postgresql {
namespace {

std::vector<std::int32_t> small_numbers(const result& found, int row, int column) {
    std::vector<std::int32_t> numbers;
    if (found.null(row, column)) return numbers;
    for (const auto each : found.integers(row, column)) numbers.push_back(static_cast<std::int32_t>(each));
    return numbers;
}

}  // namespace

ledger_record read_record(const result& found, int row) {
    ledger_record record{.after = found.integer(row, 0),
                         .upto = found.integer(row, 1),
                         .count = found.integer(row, 2),
                         .seqs = small_numbers(found, row, 3),
                         .settled_at = found.time(row, 4),
                         .times = small_numbers(found, row, 5),
                         .receipt_head = found.text(row, 6)};
    if (!found.null(row, 7)) record.receipts = found.text(row, 7);
    return record;
}

}  // namespace sluice::store::postgresql
