#include "store/delivery_audit.hpp"

#include <algorithm>
#include <utility>

#include "base/fingerprint.hpp"

namespace sluice::store {
namespace {

/// Whatever a foreign entry claims to be, it costs no more memory than so many versions.
constexpr std::size_t most_versions = 16;

}  // namespace

sequence_set::sequence_set(sequence after, sequence upto)
    : after_{after}, upto_{upto}, bits_(static_cast<std::size_t>(std::max<sequence>(upto - after, 0))) {}

bool sequence_set::insert(sequence seq) {
    if (!covers(seq)) return false;
    auto bit = bits_[static_cast<std::size_t>(seq - after_ - 1)];
    const bool is_new = !bit;
    bit = true;
    return is_new;
}

bool sequence_set::contains(sequence seq) const noexcept {
    return covers(seq) && bits_[static_cast<std::size_t>(seq - after_ - 1)];
}

void sequence_set::clear() { bits_.assign(bits_.size(), false); }

delivery_audit::delivery_audit(sequence after, sequence upto, std::size_t window)
    : after_{after}, upto_{upto}, window_{window}, expected_{after, upto}, seen_{after, upto}, here_{after, upto} {}

void delivery_audit::expect(sequence seq) {
    if (expected_.insert(seq)) ++sum_.confirmed;
}

void delivery_audit::begin_part() {
    here_.clear();
    recent_.clear();
    earlier_.clear();
    let_go_ = 0;
}

delivery_audit::place delivery_audit::see(sequence seq, std::string_view stream, int version) {
    if (seq <= after_ || seq > upto_) return place::told;
    if (version != 0 && !versions_.contains(version) && versions_.size() >= most_versions) return place::told;
    here_.insert(seq);
    auto& seen = version == 0 ? seen_ : versions_.try_emplace(version, after_, upto_).first->second;
    if (!seen.insert(seq)) {
        note(audit_fault::kind::doubled, seq);  // the first entry is the one that has a place in the order
        return place::told;
    }
    if (version == 0 && expected_.contains(seq)) ++sum_.present;

    const auto last = exchange_last(stream, seq);
    if (last <= seq && seq <= let_go_) return place::unknown;
    if (last > seq) note(audit_fault::kind::out_of_order, seq);
    return place::told;
}

sequence delivery_audit::exchange_last(std::string_view stream, sequence seq) {
    const auto name = base::fingerprint(stream);
    const auto [known, is_new] = recent_.try_emplace(name, 0);
    auto& highest = known->second;
    if (is_new) {
        if (const auto older = earlier_.extract(name)) highest = older.mapped();
    }
    const auto before = std::exchange(highest, std::max(highest, seq));
    if (recent_.size() > window_) let_go();
    return before;
}

void delivery_audit::let_go() {
    for (const auto& [name, highest] : earlier_) let_go_ = std::max(let_go_, highest);
    earlier_ = std::exchange(recent_, {});
}

void delivery_audit::lose(sequence seq, bool has_expired) {
    if (has_expired) {
        ++sum_.expired;
    } else {
        note(audit_fault::kind::missing, seq);
    }
}

void delivery_audit::note(audit_fault::kind what, sequence seq) {
    switch (what) {
        case audit_fault::kind::missing:
            ++sum_.missing;
            break;
        case audit_fault::kind::doubled:
            ++sum_.doubled;
            break;
        default:
            ++sum_.out_of_order;
            break;
    }
    if (sum_.faults.size() < audit_sum::most_named) sum_.faults.push_back({what, seq});
}

}  // namespace sluice::store
