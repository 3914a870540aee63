#include "contract/store_contract.hpp"

#include "store/postgresql/postgresql_database.hpp"
#include "support/postgresql_server.hpp"

namespace sluice::store::contract {

std::vector<std::string> stores_under_test() { return {"postgresql"}; }

std::unique_ptr<database> make_store(const std::string& /*kind*/, const std::filesystem::path& /*directory*/) {
    // The tests' time is not the server's.
    return make_postgresql_database({.conninfo = sluice::testing::postgresql::uri(),
                                     .schema = sluice::testing::postgresql::fresh_schema(),
                                     .server_clock = false});
}

}  // namespace sluice::store::contract
