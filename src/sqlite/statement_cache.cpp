#include "sqlite/statement_cache.hpp"

#include <sqlite3.h>

#include <utility>

namespace sluice::sqlite {

void statement_cache::finalizer::operator()(sqlite3_stmt* statement) const noexcept { sqlite3_finalize(statement); }

statement_cache::place& statement_cache::take(std::string_view sql) {
    auto known = texts_.find(sql);
    if (known == texts_.end()) {
        if (texts_.size() >= most_texts) {
            std::erase_if(texts_, [](const place& each) { return each.second.users == 0; });
        }
        known = texts_.try_emplace(std::string{sql}).first;
    }
    ++known->second.users;
    return *known;
}

void statement_cache::give_back(place& where, compiled used) noexcept {
    auto& entry = where.second;
    --entry.users;
    if (!entry.idle) entry.idle = std::move(used);
}

}  // namespace sluice::sqlite
