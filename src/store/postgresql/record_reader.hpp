#pragma once

#include "store/ledger.hpp"
#include "store/postgresql/result.hpp"

namespace sluice::store::postgresql {

/// What `read_record` wants of the record `r`, as its first columns.
#define SLUICE_RECORD_COLUMNS \
    "r.after, r.upto, r.count::bigint, r.seqs::bigint[], r.settled_at, r.times::bigint[], r.receipt_head, r.receipts"

[[nodiscard]] ledger_record read_record(const result& found, int row);

}  // namespace sluice::store::postgresql
