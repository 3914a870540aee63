#include "store/sqlite/audit_reader.hpp"

#include <utility>

#include "store/text_list.hpp"

namespace sluice::store::sqlite {

audit_page audit_reader::read(std::string_view broker, sequence after, sequence upto) {
    audit_page page{.mark = lines_.lowest_mark(broker)};
    if (auto found = end_.query(); found.next()) page.end = found.integer(0);
    const auto numbered = brokers_.find(broker);
    if (numbered) page.floor = numbered->floor;
    const auto bit = numbered ? numbered->bit() : 0;
    for (auto found = chosen_.query(broker, after, upto, bit); found.next();) page.chosen.push_back(found.integer(0));
    for (auto found = rows_.query(broker, after, upto); found.next();) {
        page.rows.push_back({.seq = found.integer(0), .status = row_status_from(found.view(1))});
    }
    if (!numbered) return page;
    ledger_.open(numbered->number);
    page.listed = ledger_.listed(after, upto);
    return page;
}

std::vector<confirmation> audit_reader::confirmations(std::string_view broker, sequence after, sequence upto) {
    std::vector<settlement> settled;
    if (const auto numbered = brokers_.find(broker)) {
        ledger_.open(numbered->number);
        settled = ledger_.settlements(after, upto);
    }
    for (auto found = published_rows_.query(broker, after, upto); found.next();) {
        settled.push_back({.seq = found.integer(0), .published_at = found.optional_time(1), .receipt = found.text(2)});
    }
    std::vector<confirmation> events;
    for (auto found = events_.query(after, upto); found.next();) {
        events.push_back({.seq = found.integer(0),
                          .stream_category = found.text(1),
                          .type = found.text(2),
                          .priority = static_cast<int>(found.integer(3))});
    }
    return confirmations_of(std::move(events), std::move(settled));
}

std::vector<located_event> audit_reader::locate(const std::vector<std::string>& message_ids) {
    std::vector<located_event> all;
    all.reserve(message_ids.size());
    for (auto found = locate_.query(text_list(message_ids)); found.next();) {
        all.push_back({.message_id = found.text(0), .seq = found.integer(1), .stream = found.text(2)});
    }
    return all;
}

}  // namespace sluice::store::sqlite
