#include "projection/row_unit.hpp"

#include <algorithm>
#include <utility>

#include "base/utf8.hpp"

namespace sluice::projection {

std::optional<std::string> row_unit::find(std::string_view key) {
    const auto known = entries_.find(key);
    if (known != entries_.end()) return known->second.row;
    entry looked;
    auto stored = base::is_storable(key) ? read_(key) : std::nullopt;
    looked.seen = stored ? stored->version : 0;
    if (stored) looked.row = std::move(stored->row);
    return entries_.emplace(std::string{key}, std::move(looked)).first->second.row;
}

void row_unit::put(std::string key, std::string row) {
    entry& of = entries_[std::move(key)];
    of.written = of.written || of.row != row;
    of.row = std::move(row);
}

void row_unit::remove(std::string_view key) {
    entry& of = entries_[std::string{key}];
    const bool known_absent = of.seen == 0 && !of.row;
    of.written = of.written || !known_absent;
    of.row.reset();
}

bool row_unit::changed() const noexcept {
    return std::ranges::any_of(entries_, [](const auto& each) { return each.second.written; });
}

std::vector<store::row_write> row_unit::writes(const store::row_table& table, base::random_source& random) const {
    std::vector<store::row_write> all;
    for (const auto& [key, of] : entries_) {
        if (!of.written || (of.seen == 0 && !of.row)) continue;  // put and removed again: it never was
        // Never 0, which says that there is no row.
        const auto version = static_cast<std::int64_t>(random.next() >> 1U) + 1;
        all.push_back(
            {.table = table, .key = key, .row = of.row.value_or(""), .version = version, .expected = of.seen});
    }
    return all;
}

}  // namespace sluice::projection
