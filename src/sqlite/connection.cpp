#include "sqlite/connection.hpp"

#include <fmt/format.h>
#include <sqlite3.h>

#include <algorithm>
#include <exception>
#include <string>
#include <system_error>
#include <thread>
#include <utility>

#include "base/database_file.hpp"

namespace sluice::sqlite {
namespace {

using namespace std::chrono_literals;

/// The words of a trigger are the application's own, and may quote a row.
bool has_foreign_words(int code) { return code == SQLITE_CONSTRAINT_TRIGGER; }

std::filesystem::path file_of(sqlite3& db) {
    const char* const name = sqlite3_db_filename(&db, "main");
    return name == nullptr || *name == '\0' ? ":memory:" : name;
}

std::filesystem::path directory_of(const std::filesystem::path& file) {
    return file.has_parent_path() ? file.parent_path() : ".";
}

/// For `sqlite3_exec`: keeps the first column of the last row.
int keep_text(void* kept, int columns, char** values, char** /*names*/) {
    if (columns > 0 && values[0] != nullptr) *static_cast<std::string*>(kept) = values[0];
    return 0;
}

}  // namespace

void connection_closer::operator()(sqlite3* handle) const noexcept {
    if (!borrowed) sqlite3_close_v2(handle);
}

connection::connection(connection_options options, open_mode mode) : options_{std::move(options)} {
    if (options_.limit_all_waits) limit_waits_anew();
    check_place(mode);
    open(mode);
    if (read_only_) return;
    use_wal();
    execute(options_.synchronous == synchronous_mode::full ? "PRAGMA synchronous = FULL"
                                                           : "PRAGMA synchronous = NORMAL");
    execute(fmt::format("PRAGMA journal_size_limit = {}", options_.journal_bytes_kept).c_str());
    execute("PRAGMA foreign_keys = OFF");
}

connection::connection(sqlite3& borrowed, translation translate)
    : options_{.file = file_of(borrowed), .translate = translate},
      handle_{&borrowed, connection_closer{.borrowed = true}} {}

void connection::check_place(open_mode mode) const {
    std::error_code ignored;
    if (!std::filesystem::is_directory(directory_of(options_.file), ignored)) fail(problem::no_directory);
    if (mode == open_mode::existing && !std::filesystem::exists(options_.file, ignored)) fail(problem::no_file);
}

void connection::open(open_mode mode) {
    const auto& file = options_.file;
    read_only_ = options_.look_only && base::is_write_protected(file);
    const bool may_create = mode == open_mode::create && !read_only_;
    if (may_create) base::make_private_file(file);
    sqlite3* opened = nullptr;
    const int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE |
                      (read_only_ ? SQLITE_OPEN_READONLY | SQLITE_OPEN_URI : SQLITE_OPEN_READWRITE) |
                      (may_create ? SQLITE_OPEN_CREATE : 0);
    const std::string name = read_only_ ? base::read_only_uri(file) : file.native();
    const int code = sqlite3_open_v2(name.c_str(), &opened, flags, nullptr);
    handle_.reset(opened);
    if (code != SQLITE_OK) fail(code);
    identity_ = file_identity::at(file);
    if (!identity_) fail(problem::replaced);
    sqlite3_busy_handler(handle(), &connection::on_busy, this);
}

void connection::use_wal() {
    constexpr auto pause = 2ms;
    const auto give_up = end_of_wait();
    for (;;) {
        std::string mode;
        const int code = sqlite3_exec(handle(), "PRAGMA journal_mode = WAL", &keep_text, &mode, nullptr);
        if (code == SQLITE_OK && mode == "wal") return;
        if (code == SQLITE_OK) fail(problem::no_wal);
        // The switch needs the file for itself and, when two do it at once, SQLite gives up without waiting.
        if (problem_of(code) != problem::busy || steady::now() >= give_up) fail(code);
        std::this_thread::sleep_for(pause);
    }
}

std::filesystem::path connection::file() const { return file_of(*handle()); }

bool connection::is_in_place() const { return !identity_ || file_identity::at(options_.file) == identity_; }

void connection::limit_waits(duration together) {
    options_.busy_timeout = together;
    all_waits_end_ = steady::now() + together;
}

connection::steady::time_point connection::end_of_wait() const {
    return all_waits_end_.value_or(steady::now() + options_.busy_timeout);
}

int connection::on_busy(void* self, int tries) {
    auto& db = *static_cast<connection*>(self);
    if (tries == 0) db.wait_ends_ = db.end_of_wait();
    const auto now = steady::now();
    if (now >= db.wait_ends_) return 0;
    // A writer holds the lock for about one fsync, so looking often pays; SQLite's own handler starts at 1 ms and goes
    // on to 100 ms.
    const auto pause = std::min<std::chrono::microseconds>(100us * (1 << std::min(tries, 6)), 5ms);
    std::this_thread::sleep_for(std::min<std::chrono::nanoseconds>(pause, db.wait_ends_ - now));
    return 1;
}

void connection::execute(const char* sql) {
    if (const int code = sqlite3_exec(handle(), sql, nullptr, nullptr, nullptr); code != SQLITE_OK) fail(code);
}

bool connection::in_transaction() const { return sqlite3_get_autocommit(handle()) == 0; }

std::int64_t connection::last_insert_id() const { return sqlite3_last_insert_rowid(handle()); }

std::int64_t connection::data_version() {
    auto found = data_version_.query();
    return found.next() ? found.integer(0) : 0;
}

void connection::fail(int code, outcome what) const {
    const bool own_words = handle() != nullptr && !has_foreign_words(code);
    std::string words = own_words ? sqlite3_errmsg(handle()) : sqlite3_errstr(code);
    const bool lacks_table = words.starts_with("no such table") || words.starts_with("no such column");
    std::rethrow_exception(options_.translate({.what = lacks_table ? problem::no_such_table : problem_of(code),
                                               .code = code,
                                               .words = std::move(words),
                                               .file = options_.file,
                                               .patience = options_.busy_timeout,
                                               .in_doubt = what == outcome::in_doubt}));
}

void connection::fail(problem what) const {
    std::rethrow_exception(options_.translate({.what = what, .words = {}, .file = options_.file}));
}

}  // namespace sluice::sqlite
