#include "contract/store_contract.hpp"

#include "store/memory/memory_database.hpp"
#ifdef SLUICE_WITH_STORE_SQLITE
#include "store/sqlite/sqlite_database.hpp"
#endif

namespace sluice::store::contract {

std::vector<std::string> stores_under_test() {
#ifdef SLUICE_WITH_STORE_SQLITE
    return {"memory", "sqlite"};
#else
    return {"memory"};
#endif
}

std::unique_ptr<database> make_store(const std::string& kind, const std::filesystem::path& directory) {
#ifdef SLUICE_WITH_STORE_SQLITE
    if (kind == "sqlite") return make_sqlite_database({.path = directory / "shop.db"});
#endif
    return make_memory_database(kind + directory.filename().string());
}

}  // namespace sluice::store::contract
