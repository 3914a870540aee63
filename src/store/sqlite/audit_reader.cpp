#include "store/sqlite/audit_reader.hpp"

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

}  // namespace sluice::store::sqlite
