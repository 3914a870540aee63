#include "engine/schemas.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>

#include <sluice/error.hpp>

#include "store/memory/memory_database.hpp"
#include "store/memory/provider.hpp"
#include "support/depot_domain.hpp"
#include "support/forwarding_store.hpp"

namespace {

using testing::AllOf;
using testing::HasSubstr;

/// Says that it has some schema.
class database_of_schema final : public sluice::testing::forwarding_database {
public:
    explicit database_of_schema(sluice::store::schema_status says)
        : forwarding_database{sluice::store::make_memory_database("depot")}, says_{std::move(says)} {
        forwarding_database::setup();
    }
    void setup() override { ++setups; }
    [[nodiscard]] sluice::store::schema_status schema() override { return says_; }

    int setups = 0;

private:
    sluice::store::schema_status says_;
};

/// What is said of a database with this schema; empty when it will do.
std::string complaint(const std::shared_ptr<database_of_schema>& database) {
    const sluice::domain declared = depot::make_domain();
    sluice::config::configuration with;
    with.databases["default"].kind = &sluice::store::memory_provider();
    sluice::commit::adapters parts;
    parts.databases.emplace("default", database);
    try {
        sluice::engine::require_current_schemas(declared.declared(), with, parts, "run `sluice db setup`");
    } catch (const sluice::store_error& e) {
        return e.what();
    }
    return {};
}

TEST(require_current_schemas, names_the_database_both_schemas_and_the_remedy) {
    EXPECT_THAT(
        complaint(std::make_shared<database_of_schema>(sluice::store::schema_status{.applied = 3, .expected = 5})),
        AllOf(HasSubstr("database default ("), HasSubstr("schema 3"), HasSubstr("schema 5"),
              HasSubstr("run `sluice db setup`")));
    EXPECT_THAT(
        complaint(std::make_shared<database_of_schema>(sluice::store::schema_status{.applied = 7, .expected = 5})),
        HasSubstr("use the newer Sluice that set it up"));
}

TEST(require_current_schemas, takes_what_is_current_and_sets_up_an_embedded_database_that_is_empty) {
    const auto current =
        std::make_shared<database_of_schema>(sluice::store::schema_status{.applied = 5, .expected = 5});
    EXPECT_EQ(complaint(current), "");
    EXPECT_EQ(current->setups, 0);
    const auto empty = std::make_shared<database_of_schema>(sluice::store::schema_status{.applied = 0, .expected = 5});
    EXPECT_EQ(complaint(empty), "");
    EXPECT_EQ(empty->setups, 1);
}

}  // namespace
