#include "store/sqlite/settlement_writer.hpp"

#include <algorithm>

#include "store/lane_name.hpp"
#include "store/ledger.hpp"
#include "store/sqlite/ledger_text.hpp"

namespace sluice::store::sqlite {

void settlement_writer::write(const lease_grant& grant, std::string_view target_broker,
                              std::span<const settlement> settlements, bool reopened) {
    if (settlements.empty()) return;
    const auto broker = brokers_.find(target_broker);
    if (!broker) {
        for (const auto& outcome : settlements) update_row(target_broker, outcome, reopened);
        return;
    }
    const auto carried = shard_of(grant.lane);
    ledger_.open(broker->number, carried);
    const auto is_listed = [&](const settlement& one) { return ledger_.lists(one.seq); };
    if (std::ranges::any_of(settlements, is_listed)) {
        open_.clear();
        std::ranges::remove_copy_if(settlements, std::back_inserter(open_), is_listed);
        settlements = open_;
    }
    const auto top = std::max(ledger_.end_of(ledger_part(carried)), broker->floor);
    const bool any_row = has_any_row(target_broker, settlements);
    const auto is_row = [&](sequence seq) { return any_row && has_row(target_broker, seq); };
    const auto sorted = sort_settlements(settlements, top, is_row);
    for (const auto* outcome : sorted.rows) {
        if (is_row(outcome->seq)) {
            update_row(target_broker, *outcome, reopened);
        } else if (outcome->seq > broker->floor) {
            add_row(*broker, *outcome);
        }
    }
    if (sorted.record) write_record(*broker, grant, *sorted.record);
}

bool settlement_writer::has_any_row(std::string_view target_broker, std::span<const settlement> settlements) {
    if (settlements.empty()) return false;
    const auto [least, most] = std::ranges::minmax_element(settlements, {}, &settlement::seq);
    return any_row_.query(target_broker, least->seq, most->seq).next();
}

bool settlement_writer::has_row(std::string_view target_broker, sequence seq) {
    return any_row_.query(target_broker, seq, seq).next();
}

void settlement_writer::update_row(std::string_view target_broker, const settlement& outcome, bool reopened) {
    const int renewed_budget_below = reopened ? outcome.retry_count - 1 : 0;
    settle_.run(target_broker, outcome.seq, to_string(outcome.status), outcome.retry_count,
                to_sql(outcome.next_retry_at), or_null(outcome.last_error), to_sql(outcome.published_at),
                to_sql(outcome.abandoned_at), or_null(outcome.receipt), renewed_budget_below, reopened);
}

void settlement_writer::add_row(const numbered_broker& broker, const settlement& outcome) {
    add_row_.run(broker.name, outcome.seq, to_string(outcome.status), outcome.retry_count,
                 to_sql(outcome.next_retry_at), or_null(outcome.last_error), to_sql(outcome.published_at),
                 to_sql(outcome.abandoned_at), or_null(outcome.receipt), broker.bit());
}

void settlement_writer::write_record(const numbered_broker& broker, const lease_grant& grant,
                                     const ledger_record& record) {
    add_record_.run(broker.number, ledger_part(shard_of(grant.lane)), record.after, record.upto, record.count,
                    number_list(record.seqs), to_sql(record.settled_at), number_list(record.times), grant.owner,
                    grant.epoch, record.receipt_head, record.receipts);
}

}  // namespace sluice::store::sqlite
