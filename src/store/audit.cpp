#include "store/audit.hpp"

#include <limits>
#include <span>

namespace sluice::store {
namespace {

/// Elements by ascending numbers, taken from the lowest one on.
template <class Element, class Number>
class ascending {
public:
    ascending(std::span<const Element> all, Number number) : rest_{all}, number_{number} {}

    /// Those up to this number that were not taken yet.
    [[nodiscard]] std::span<const Element> take_upto(sequence seq) {
        std::size_t count = 0;
        while (count < rest_.size() && number_(rest_[count]) <= seq) ++count;
        const auto taken = rest_.first(count);
        rest_ = rest_.subspan(count);
        return taken;
    }

private:
    std::span<const Element> rest_;
    Number number_;
};

}  // namespace

const char* to_string(audit_fault::kind what) noexcept {
    switch (what) {
        case audit_fault::kind::missing:
            return "missing";
        case audit_fault::kind::doubled:
            return "doubled";
        case audit_fault::kind::out_of_order:
            return "out of order";
        case audit_fault::kind::stray:
            break;
    }
    return "stray";
}

void audit_sum::note(audit_fault::kind what, sequence seq) {
    switch (what) {
        case audit_fault::kind::missing:
            ++missing;
            if (!first_missing) first_missing = seq;
            break;
        case audit_fault::kind::doubled:
            ++doubled;
            break;
        case audit_fault::kind::stray:
            ++stray;
            break;
        case audit_fault::kind::out_of_order:
            break;  // the ledger has no order to compare
    }
    if (faults.size() < most_named) faults.push_back({what, seq});
}

void audit_sum::add(const audit_page& page) {
    ascending listed{std::span{page.listed}, [](sequence seq) { return seq; }};
    ascending rows{std::span{page.rows}, [](const audit_page::row& row) { return row.seq; }};
    for (const auto seq : page.chosen) {
        std::size_t listings = 0;
        for (const auto each : listed.take_upto(seq)) {
            if (each != seq) note(audit_fault::kind::stray, each);
            if (each == seq) ++listings;
        }
        const auto passed = rows.take_upto(seq);
        const bool has_row = !passed.empty() && passed.back().seq == seq;
        if (listings + (has_row ? 1 : 0) > 1) note(audit_fault::kind::doubled, seq);
        if (has_row) {
            add_event(seq, passed.back().status, page.mark);
        } else if (listings == 0 && seq <= page.floor) {
            ++committed;
            ++purged;
        } else {
            add_event(seq, listings > 0 ? row_status::published : row_status::pending, page.mark);
        }
    }
    for (const auto each : listed.take_upto(std::numeric_limits<sequence>::max())) note(audit_fault::kind::stray, each);
}

void audit_sum::add_event(sequence seq, row_status status, sequence mark) {
    ++committed;
    if (status == row_status::published) {
        ++confirmed;
    } else if (status == row_status::abandoned) {
        ++parked;
    } else if (seq > mark) {
        ++waiting;
    } else {
        note(audit_fault::kind::missing, seq);
    }
}

}  // namespace sluice::store
