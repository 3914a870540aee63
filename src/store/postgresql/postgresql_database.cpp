#include "store/postgresql/postgresql_database.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <utility>

#include <fmt/format.h>

#include <sluice/error.hpp>

#include "store/postgresql/exchange.hpp"
#include "store/postgresql/failure.hpp"
#include "store/postgresql/history.hpp"
#include "store/postgresql/lane_link.hpp"
#include "store/postgresql/migrations.hpp"
#include "store/postgresql/server_question.hpp"
#include "store/postgresql/sessions.hpp"

namespace sluice::store {
namespace postgresql {
namespace {

using namespace std::chrono_literals;

/// The server's timeout is to end a statement before the client gives up on the whole connection.
constexpr duration grace = 5s;

connection_use use_with(const postgresql_options& options, duration statement_timeout) {
    const auto milliseconds = [](duration time) {
        return std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(time).count());
    };
    return {.settings = {{"statement_timeout", milliseconds(statement_timeout)},
                         {"lock_timeout", milliseconds(options.lock_timeout)},
                         {"default_transaction_isolation", "read committed"},
                         // A role or database that turns it off would lose what was reported as committed.
                         {"synchronous_commit", "on"},
                         {"jit", "off"}},
            .prepare = options.prepare_statements,
            .patience = statement_timeout + grace};
}

}  // namespace

connection_use shared_use(const postgresql_options& options) { return use_with(options, options.statement_timeout); }

connection_use lane_use(const postgresql_options& options) {
    auto use = use_with(options, options.statement_timeout);
    for (const char* method : {"enable_seqscan", "enable_bitmapscan", "enable_hashjoin", "enable_mergejoin"}) {
        use.settings.emplace_back(method, "off");
    }
    use.settings.emplace_back("plan_cache_mode", "force_generic_plan");
    return use;
}

connection_use setup_use(const postgresql_options& options) {
    auto use = use_with(options, std::max<duration>(options.statement_timeout, 10min));
    // The one who waits for another process's migration waits for all of it.
    for (auto& [name, value] : use.settings) {
        if (name == "lock_timeout") value = "0";
    }
    return use;
}

shared_state::shared_state(postgresql_options chosen)
    : options{std::move(chosen)},
      server{options},
      pool{server, shared_use(options), options.max_connections, options.connection_wait} {}

std::shared_ptr<lane_memory> shared_state::memory_of(const lease_grant& grant) {
    const std::lock_guard lock{mutex_};
    auto& memory = memories_[grant.lane];
    if (memory == nullptr || memory->owner != grant.owner || memory->epoch != grant.epoch) {
        memory = std::make_shared<lane_memory>(
            lane_memory{.owner = grant.owner, .epoch = grant.epoch, .gaps = gap_tracker{grant.mark}});
    }
    return memory;
}

std::optional<date_time> shared_state::our_time() const {
    if (!options.server_clock) return std::nullopt;
    return (options.time != nullptr ? *options.time : system_clock()).now();
}

void shared_state::forget(const std::string& lane) {
    const std::lock_guard lock{mutex_};
    memories_.erase(lane);
}

}  // namespace postgresql

namespace {

using postgresql::exchange;
using postgresql::migrations;

class postgresql_database final : public database {
public:
    explicit postgresql_database(postgresql_options options) : schema_{options.schema}, shared_{std::move(options)} {}

    std::string describe() const override { return shared_.server.name(); }

    void setup() override {
        const auto db = shared_.pool.keep(postgresql::setup_use(shared_.options));
        schema_.apply(*db);
    }
    schema_status schema() override { return schema_.read(*shared_.pool.borrow()); }
    std::string identity() override;
    database_history history() override {
        require_schema();
        return postgresql::ask_who(*shared_.pool.borrow(), shared_.options.schema, describe());
    }
    void claim(std::string_view domain) override {
        require_schema();
        postgresql::claim_domain(*shared_.pool.borrow(), shared_.options.schema, domain);
        require_domain(history(), describe(), domain);
    }
    adopted adopt(const adoption& how) override {
        require_schema();
        const auto db = shared_.pool.keep(postgresql::setup_use(shared_.options));
        return postgresql::begin_incarnation(*db, shared_.options.schema, how);
    }
    std::vector<history_fault> faults(std::size_t most_rows) override {
        require_schema();
        return postgresql::find_faults(*shared_.pool.borrow(), shared_.options.schema, describe(), most_rows);
    }
    std::vector<weakness> weaknesses() override;
    std::optional<server_state> server() override { return postgresql::ask_server(*shared_.pool.borrow()); }

    std::unique_ptr<unit_session> open_unit() override {
        require_schema();
        return postgresql::make_unit_session(shared_);
    }
    std::unique_ptr<lease_session> open_lease() override {
        require_schema();
        return postgresql::make_lease_session(std::make_shared<postgresql::lane_link>(shared_));
    }
    lane_session open_lane() override {
        require_schema();
        const auto link = std::make_shared<postgresql::lane_link>(shared_);
        return {.lease = postgresql::make_lease_session(link), .rows = postgresql::make_row_source(link)};
    }
    std::unique_ptr<operations_session> open_operations() override {
        require_schema();
        return postgresql::make_operations_session(shared_);
    }
    std::unique_ptr<kept_message_session> open_kept_messages() override {
        require_schema();
        return postgresql::make_kept_message_session(shared_);
    }
    std::unique_ptr<read_model_session> open_read_models() override {
        require_schema();
        return postgresql::make_read_model_session(shared_);
    }
    std::unique_ptr<backfill_session> open_backfills() override { return postgresql::make_backfill_session(shared_); }

private:
    /// Asked until the answer was yes: sessions are opened often, and a schema does not go away.
    void require_schema() {
        if (schema_is_current_) return;
        schema_.require_current(*shared_.pool.borrow());
        schema_is_current_ = true;
    }

    const migrations schema_;
    postgresql::shared_state shared_;
    std::atomic<bool> schema_is_current_ = false;
};

std::vector<weakness> postgresql_database::weaknesses() {
    const auto db = shared_.pool.borrow();
    exchange trip{*db};
    const auto place = trip.add(
        {"",
         "SELECT current_setting('fsync') = 'off', current_setting('full_page_writes') = 'off',"
         " current_setting('default_transaction_read_only') = 'on', current_setting('server_encoding'),"
         " (SELECT string_agg(relname, ', ' ORDER BY relname) FROM pg_class WHERE relnamespace = to_regnamespace($1)"
         " AND relkind = 'r' AND relpersistence = 'u'),"
         // What a session has that is not one of ours.
         " (SELECT reset_val = 'off' FROM pg_settings WHERE name = 'synchronous_commit'),"
         " current_setting('max_connections')::bigint - current_setting('superuser_reserved_connections')::bigint"},
        postgresql::parameters{'"' + shared_.options.schema + '"'});
    trip.run();
    const auto& found = trip[place];
    std::vector<weakness> all;
    const auto add = [&](bool is_so, std::string code, std::string message, std::string remedy) {
        if (is_so) all.push_back({std::move(code), describe() + ": " + std::move(message), std::move(remedy)});
    };
    add(found.boolean(0, 0), "DATABASE_WITHOUT_FSYNC",
        "fsync is off, so a power failure can lose committed events and damage the database", "set fsync = on");
    add(found.boolean(0, 1), "DATABASE_WITHOUT_FULL_PAGES",
        "full_page_writes is off, so a power failure can damage the database", "set full_page_writes = on");
    add(!found.null(0, 5) && found.boolean(0, 5), "DATABASE_ASYNCHRONOUS_COMMIT",
        "synchronous_commit is off for this role, this database or the server; what Sluice commits is safe, what "
        "others "
        "commit there can be lost by a crash after they were told of it",
        "set synchronous_commit = on");
    const auto offered = found.integer(0, 6);
    add(std::cmp_less(offered, shared_.options.max_connections) && !db->pooled(), "SERVER_CONNECTIONS",
        fmt::format("max_connections of this database is {}, and the server has {} for all its clients together",
                    shared_.options.max_connections, offered),
        "raise max_connections of the server to what all processes may use, or lower that of this database");
    add(found.boolean(0, 2), "DATABASE_READ_ONLY",
        "default_transaction_read_only is on for this role or database, so nothing can be written",
        "reset it when the database is to be used again");
    const auto encoding = found.text(0, 3);
    add(encoding != "UTF8", "DATABASE_ENCODING",
        "its encoding is " + encoding + ", so texts with other characters are refused",
        "use a database with ENCODING UTF8");
    if (!found.null(0, 4)) {
        add(true, "DATABASE_UNLOGGED_TABLE",
            "unlogged tables are emptied by a crash and missing on standbys: " + found.text(0, 4),
            "ALTER TABLE … SET LOGGED");
    }
    return all;
}

std::string postgresql_database::identity() {
    require_schema();
    const auto db = shared_.pool.borrow();
    exchange trip{*db};
    const auto place =
        trip.add({"sluice_identity", postgresql::in_schema("SELECT value FROM @sluice_meta WHERE key = 'identity'",
                                                           shared_.options.schema)});
    trip.run();
    if (trip[place].rows() == 0) {
        throw store_error{describe() + " has lost its identity (table sluice_meta); restore it", error_nature::outage};
    }
    return trip[place].text(0, 0);
}

bool is_plain_identifier(std::string_view name) {
    constexpr std::size_t longest = 63;
    const auto fits = [](char c) {
        return c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    };
    return !name.empty() && name.size() <= longest && std::ranges::all_of(name, fits) &&
           !(name.front() >= '0' && name.front() <= '9');
}

}  // namespace

std::unique_ptr<database> make_postgresql_database(postgresql_options options) {
    if (!is_plain_identifier(options.schema)) {
        throw configuration_error{"schema '" + options.schema +
                                  "' is no plain name; use up to 63 letters, digits and underscores"};
    }
    return std::make_unique<postgresql_database>(std::move(options));
}

}  // namespace sluice::store
