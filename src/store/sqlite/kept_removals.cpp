#include "store/sqlite/kept_removals.hpp"

#include <string>
#include <vector>

#include "store/kept_text.hpp"
#include "store/text_list.hpp"

namespace sluice::store::sqlite {

void kept_removals::remove(const kept_place& at, std::string_view owner, std::span<const kept_name> names) {
    for (const kept_name& each : names) remove_.run(each.number, owner);
    promote(at, names);
}

void kept_removals::promote(const kept_place& at, std::span<const kept_name> after) {
    std::vector<std::string> keys;
    keys.reserve(after.size());
    for (const kept_name& each : after) keys.push_back(to_kept_text(each.key));
    promote_.run(at.broker, at.stream, at.group, text_list(keys));
}

}  // namespace sluice::store::sqlite
