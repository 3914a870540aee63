#include "broker/sqlite/connection.hpp"

#include <algorithm>
#include <thread>

#include <fmt/format.h>
#include <sqlite3.h>

#include "base/database_file.hpp"

namespace sluice::broker::sqlite {
namespace {

using state = outage::connection_state;

std::string reason(int code, const char* detail, duration patience) {
    switch (code & 0xFF) {
        case SQLITE_BUSY:
        case SQLITE_LOCKED:
        case SQLITE_PROTOCOL:
            return fmt::format("another process has been writing for more than {} ms; look for one that hangs",
                               std::chrono::ceil<std::chrono::milliseconds>(patience).count());
        case SQLITE_CORRUPT:
        case SQLITE_NOTADB:
            return fmt::format("{}; restore it from a backup, or move it away to begin with an empty broker", detail);
        case SQLITE_FULL:
            return "the disk is full; free some space";
        case SQLITE_READONLY:
        case SQLITE_PERM:
            return "it cannot be written; give this user write access to the file and to its directory";
        case SQLITE_CANTOPEN:
            return "it cannot be opened; check that it is a file and that this user may read and write it";
        case SQLITE_IOERR:
            return fmt::format("{} ({}); check the disk and its file system", detail, code);
        default:
            return fmt::format("{} ({})", detail, code);
    }
}

bool busy(int code) {
    const int primary = code & 0xFF;
    return primary == SQLITE_BUSY || primary == SQLITE_LOCKED || primary == SQLITE_PROTOCOL;
}

}  // namespace

void connection::close_handle::operator()(sqlite3* handle) const noexcept { sqlite3_close_v2(handle); }
void connection::finalize_statement::operator()(sqlite3_stmt* statement) const noexcept { sqlite3_finalize(statement); }

connection::connection(const std::filesystem::path& file, duration patience, bool look_only)
    : file_{file}, read_only_{look_only && base::is_write_protected(file)} {
    be_patient(patience);
    if (!read_only_) base::make_private_file(file);
    sqlite3* handle = nullptr;
    const int flags =
        SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE |
        (read_only_ ? SQLITE_OPEN_READONLY | SQLITE_OPEN_URI : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
    const std::string name = read_only_ ? base::read_only_uri(file) : file.native();
    const int code = sqlite3_open_v2(name.c_str(), &handle, flags, nullptr);
    handle_.reset(handle);
    if (code != SQLITE_OK) fail(code);
    sqlite3_busy_handler(handle, &connection::wait_for_writer, this);
}

// SQLite's own waiting begins with a millisecond and ends with a hundred. Our writers are short, so look more often.
int connection::wait_for_writer(void* self, int attempt) {
    const auto& db = *static_cast<const connection*>(self);
    if (db.out_of_patience()) return 0;
    std::this_thread::sleep_for(std::chrono::microseconds{100} * (1 << std::min(attempt / 4, 6)));
    return 1;
}

void connection::be_patient(duration patience) {
    patience_ = patience;
    patient_until_ = std::chrono::steady_clock::now() + patience;
}

bool connection::out_of_patience() const { return std::chrono::steady_clock::now() >= patient_until_; }

void connection::execute(const char* sql) { query{*this, sql}.run(); }

void connection::execute_script(const char* sql) {
    const int code = sqlite3_exec(handle_.get(), sql, nullptr, nullptr, nullptr);
    if (code != SQLITE_OK) fail(code);
}

std::int64_t connection::changes() const { return sqlite3_changes64(handle_.get()); }
std::int64_t connection::last_insert_id() const { return sqlite3_last_insert_rowid(handle_.get()); }
bool connection::in_transaction() const { return sqlite3_get_autocommit(handle_.get()) == 0; }

sqlite3_stmt* connection::prepared(std::string_view sql) {
    if (const auto known = statements_.find(sql); known != statements_.end()) return known->second.get();
    sqlite3_stmt* statement = nullptr;
    const int code = sqlite3_prepare_v3(handle_.get(), sql.data(), static_cast<int>(sql.size()),
                                        SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
    if (code != SQLITE_OK) fail(code);
    statements_[std::string{sql}].reset(statement);
    return statement;
}

void connection::fail(int code) const {
    const char* detail = handle_ ? sqlite3_errmsg(handle_.get()) : sqlite3_errstr(code);
    throw outage{fmt::format("sqlite broker {}: {}", file_.native(), reason(code, detail, patience_)),
                 busy(code) ? state::usable : state::suspect};
}

query::query(connection& db, std::string_view sql) : db_{db}, statement_{db.prepared(sql)} {}
query::~query() { reset(); }

void query::reset() noexcept {
    sqlite3_reset(statement_);
    sqlite3_clear_bindings(statement_);
}

void query::check(int code) const {
    if (code != SQLITE_OK) db_.fail(code);
}

void query::bind_at(int index, std::int64_t value) { check(sqlite3_bind_int64(statement_, index, value)); }

void query::bind_at(int index, std::string_view text) {
    // An empty view may hold a null pointer, which SQLite would bind as NULL.
    const char* data = text.data() != nullptr ? text.data() : "";
    check(sqlite3_bind_text64(statement_, index, data, text.size(), SQLITE_STATIC, SQLITE_UTF8));
}

query& query::bind_blob(int index, std::string_view bytes) {
    const char* data = bytes.data() != nullptr ? bytes.data() : "";
    check(sqlite3_bind_blob64(statement_, index, data, bytes.size(), SQLITE_STATIC));
    return *this;
}

bool query::next() {
    const int code = sqlite3_step(statement_);
    if (code == SQLITE_ROW) return true;
    if (code != SQLITE_DONE) db_.fail(code);
    return false;
}

void query::run() {
    while (next()) {
    }
}

std::int64_t query::integer(int column) const { return sqlite3_column_int64(statement_, column); }
bool query::is_null(int column) const { return sqlite3_column_type(statement_, column) == SQLITE_NULL; }

std::string_view query::bytes(int column) const {
    const auto* data = static_cast<const char*>(sqlite3_column_blob(statement_, column));
    return {data, static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))};
}

write_transaction::~write_transaction() {
    if (!db_.in_transaction()) return;
    try {
        db_.execute("ROLLBACK");
    } catch (const outage&) {
        // The connection is suspect and will be closed, which rolls back as well.
    }
}

}  // namespace sluice::broker::sqlite
