#include "store/sqlite/audit_reader.hpp"

#include <algorithm>

#include "store/sqlite/ledger_text.hpp"

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
    if (numbered) list(numbered->number, after, upto, page.listed);
    return page;
}

/// Each part ascends for itself.
void audit_reader::list(int broker, sequence after, sequence upto, std::vector<sequence>& into) {
    const auto add = [&](sequence seq) {
        if (seq > after && seq <= upto) into.push_back(seq);
    };
    std::vector<std::int64_t> parts;
    for (auto found = parts_.query(broker); found.next();) parts.push_back(found.integer(0));
    for (const auto part : parts) {
        for (auto found = records_.query(broker, part, after); found.next();) {
            const auto below = found.integer(0);
            if (below >= upto) break;
            if (found.null(2)) {
                for (auto seq = below + 1; seq <= found.integer(1); ++seq) add(seq);
            } else {
                for (const auto number : numbers_in(found.view(2))) add(below + number);
            }
        }
    }
    std::ranges::sort(into);
}

}  // namespace sluice::store::sqlite
