#include "store/sqlite/sqlite_database.hpp"

#include <string>
#include <system_error>
#include <utility>

#include <sluice/error.hpp>

#include "sqlite/library_version.hpp"
#include "store/sqlite/driver.hpp"
#include "store/sqlite/history.hpp"
#include "store/sqlite/lane_link.hpp"
#include "store/sqlite/migrations.hpp"
#include "store/sqlite/sessions.hpp"

namespace sluice::store {
namespace {

using sqlite::connection;

class sqlite_database final : public database {
public:
    explicit sqlite_database(sqlite_options options) : options_{std::move(options)} {}

    std::string describe() const override { return "sqlite " + options_.path.string(); }

    void setup() override {
        connection db{sqlite::driver_options(options_), connection::open_mode::create};
        sqlite::migrate(db);
    }

    schema_status schema() override {
        if (std::error_code ignored; !std::filesystem::exists(options_.path, ignored)) {
            schema_status nothing{.applied = 0, .expected = sqlite::migrations().back().number, .pending = {}};
            for (const auto& step : sqlite::migrations()) nothing.pending.emplace_back(step.name);
            return nothing;
        }
        connection db{sqlite::driver_options(options_), connection::open_mode::existing};
        return sqlite::read_schema(db);
    }

    std::string identity() override {
        const auto db = open();
        sqlite::statement read{*db, "SELECT value FROM sluice_meta WHERE key = 'identity'"};
        auto found = read.query();
        if (!found.next())
            throw store_error{describe() + " has lost its identity (table sluice_meta); restore it",
                              error_nature::outage};
        return found.text(0);
    }

    database_history history() override { return sqlite::ask_who(*open(), describe()); }
    void claim(std::string_view domain) override {
        const auto db = open();
        sqlite::claim_domain(*db, domain);
        require_domain(sqlite::ask_who(*db, describe()), describe(), domain);
    }
    adopted adopt(const adoption& how) override {
        return sqlite::begin_incarnation(*open(), how, system_clock().now());
    }
    std::vector<history_fault> faults(std::size_t most_rows) override {
        return sqlite::find_faults(*open(), most_rows);
    }
    std::vector<weakness> weaknesses() override {
        if (!sluice::sqlite::has_wal_reset_fault(sluice::sqlite::library_version())) return {};
        return {
            {.code = "SQLITE_WAL_RESET",
             .message = describe() + ": SQLite " + sluice::sqlite::library_version_text() +
                        " has the WAL-reset fault: in a rare race of two connections commits can be lost, or the file "
                        "damaged",
             .remedy =
                 "use SQLite 3.51.3 or newer (or 3.50.7, 3.44.6), or a package of your distribution with this fix; "
                 "keep backups"}};
    }

    std::unique_ptr<unit_session> open_unit() override { return sqlite::make_unit_session(open(), locks_); }
    std::unique_ptr<lease_session> open_lease() override {
        return sqlite::make_lease_session(std::make_shared<sqlite::lane_link>(open()));
    }
    lane_session open_lane() override {
        const auto link = std::make_shared<sqlite::lane_link>(open());
        return {.lease = sqlite::make_lease_session(link), .rows = sqlite::make_row_source(link)};
    }
    std::unique_ptr<operations_session> open_operations() override { return sqlite::make_operations_session(open()); }
    std::unique_ptr<kept_message_session> open_kept_messages() override {
        return sqlite::make_kept_message_session(open());
    }
    std::unique_ptr<read_model_session> open_read_models() override { return sqlite::make_read_model_session(open()); }
    std::unique_ptr<backfill_session> open_backfills() override { return sqlite::make_backfill_session(open()); }

private:
    [[nodiscard]] std::unique_ptr<connection> open() const {
        auto db = std::make_unique<connection>(sqlite::driver_options(options_), connection::open_mode::existing);
        sqlite::require_current(*db);
        return db;
    }

    const sqlite_options options_;
    base::keyed_locks locks_;
};

}  // namespace

std::unique_ptr<database> make_sqlite_database(sqlite_options options) {
    if (options.path.empty() || options.path == ":memory:") {
        throw configuration_error{
            "a SQLite database needs the path of a file; for one in memory use provider = \"memory\""};
    }
    return std::make_unique<sqlite_database>(std::move(options));
}

}  // namespace sluice::store
