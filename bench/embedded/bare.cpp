#include "embedded/bare.hpp"

#include <iterator>
#include <stdexcept>
#include <string_view>
#include <vector>

#include <sqlite3.h>

#include <sluice/time.hpp>

namespace sluice::bench {

class statement {
public:
    statement(const bare_connection& db, std::string_view sql) {
        sqlite3_stmt* raw = nullptr;
        if (sqlite3_prepare_v2(db.get(), sql.data(), static_cast<int>(sql.size()), &raw, nullptr) != SQLITE_OK) {
            throw std::runtime_error{sqlite3_errmsg(db.get())};
        }
        raw_.reset(raw);
    }
    statement& bind(int at, std::string_view text) {
        sqlite3_bind_text(raw_.get(), at, text.data(), static_cast<int>(text.size()), SQLITE_TRANSIENT);
        return *this;
    }
    statement& bind(int at, std::int64_t number) {
        sqlite3_bind_int64(raw_.get(), at, number);
        return *this;
    }
    bool step() {
        const int result = sqlite3_step(raw_.get());
        if (result == SQLITE_ROW) return true;
        sqlite3_reset(raw_.get());
        if (result != SQLITE_DONE) throw std::runtime_error{"a statement of the bare loop failed"};
        return false;
    }
    void reset() { sqlite3_reset(raw_.get()); }
    [[nodiscard]] std::string text(int at) const {
        const auto* bytes = reinterpret_cast<const char*>(sqlite3_column_text(raw_.get(), at));
        return {bytes, static_cast<std::size_t>(sqlite3_column_bytes(raw_.get(), at))};
    }
    [[nodiscard]] std::int64_t number(int at) const { return sqlite3_column_int64(raw_.get(), at); }

private:
    struct finalizer {
        void operator()(sqlite3_stmt* raw) const noexcept { sqlite3_finalize(raw); }
    };
    std::unique_ptr<sqlite3_stmt, finalizer> raw_;
};

namespace {

struct fetched {
    std::int64_t seq;
    std::string message_id, stream, category, data, metadata;
};

}  // namespace

void bare_connection::closer::operator()(sqlite3* handle) const noexcept { sqlite3_close(handle); }

bare_connection::bare_connection(const std::filesystem::path& file) {
    sqlite3* raw = nullptr;
    const int result = sqlite3_open(file.c_str(), &raw);
    handle_.reset(raw);
    if (result != SQLITE_OK) throw std::runtime_error{"cannot open " + file.string()};
    execute("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA busy_timeout = 5000");
}

void bare_connection::execute(const std::string& sql) {
    if (sqlite3_exec(get(), sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) {
        throw std::runtime_error{sqlite3_errmsg(get())};
    }
}

plain_insert::plain_insert(const std::filesystem::path& file, std::string state) : db_{file}, state_{std::move(state)} {
    db_.execute(
        "CREATE TABLE aggregate_state(aggregate TEXT NOT NULL, id TEXT NOT NULL, version INTEGER NOT NULL, "
        "state TEXT NOT NULL, PRIMARY KEY(aggregate, id)) STRICT, WITHOUT ROWID");
    begin_ = std::make_unique<statement>(db_, "BEGIN IMMEDIATE");
    insert_ = std::make_unique<statement>(db_, "INSERT INTO aggregate_state VALUES ('Reading', ?, 0, ?)");
    commit_ = std::make_unique<statement>(db_, "COMMIT");
}

plain_insert::~plain_insert() = default;

void plain_insert::commit_one() {
    begin_->step();
    insert_->bind(1, "r-" + std::to_string(++next_)).bind(2, state_).step();
    commit_->step();
}

std::size_t drain_bare(const std::filesystem::path& database, const std::filesystem::path& broker,
                       const std::string& target, int batch, settle_clock& clock) {
    bare_connection from{database};
    bare_connection to{broker};
    statement number{from, "SELECT number FROM outbox_broker WHERE name = ?"};
    number.bind(1, target).step();
    const std::int64_t known_as = number.number(0);
    number.reset();
    statement fetch{from,
                    "SELECT seq, message_id, stream, stream_category, data, metadata FROM event_log "
                    "WHERE seq > ? AND targets & (1 << ?) ORDER BY seq LIMIT ?"};
    statement insert{to,
                     "INSERT INTO broker_entry(stream_id, message_id, key, body, created_at) "
                     "VALUES (1, ?, ?, CAST(? AS BLOB), ?)"};
    statement settle{from,
                     "INSERT INTO outbox_ledger(broker, part, after, upto, count, settled_at, owner, epoch, receipts) "
                     "VALUES (?, 101, ?, ?, ?, ?, 'bare', 1, ?)"};

    std::size_t total = 0;
    std::int64_t after = 0;
    for (;;) {
        std::vector<fetched> rows;
        fetch.bind(1, after).bind(2, known_as).bind(3, batch);
        while (fetch.step()) {
            rows.push_back(
                {fetch.number(0), fetch.text(1), fetch.text(2), fetch.text(3), fetch.text(4), fetch.text(5)});
        }
        if (rows.empty()) return total;

        const std::int64_t now = system_clock().now().micros();
        to.execute("BEGIN IMMEDIATE");
        for (const fetched& row : rows) {
            const std::string body = R"({"data":)" + row.data + R"(,"metadata":)" + row.metadata + "}";
            insert.bind(1, row.message_id).bind(2, row.stream).bind(3, body).bind(4, now).step();
        }
        to.execute("COMMIT");

        std::string receipts;
        for (const fetched& row : rows) receipts += std::to_string(row.seq) + '\x1f';
        receipts.pop_back();
        settle.bind(1, known_as).bind(2, after).bind(3, rows.back().seq).bind(4, std::ssize(rows));
        settle.bind(5, system_clock().now().to_string()).bind(6, receipts).step();
        after = rows.back().seq;
        total += rows.size();
        clock.add(rows.size());
    }
}

}  // namespace sluice::bench
