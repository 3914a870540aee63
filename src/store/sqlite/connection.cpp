#include "store/sqlite/connection.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <string>
#include <system_error>
#include <thread>
#include <utility>

#include <sluice/error.hpp>

#include "base/database_file.hpp"

namespace sluice::store::sqlite {
namespace {

/// An upper bound for the journal that stays behind after a burst.
constexpr int journal_bytes_kept = 16 * 1024 * 1024;

error_nature nature_of(int code) {
    if (code == SQLITE_BUSY_SNAPSHOT) return error_nature::conflict;
    switch (code & 0xff) {
        case SQLITE_CANTOPEN:
        case SQLITE_READONLY:
        case SQLITE_PERM:
        case SQLITE_AUTH:
        case SQLITE_IOERR:
        case SQLITE_FULL:
        case SQLITE_NOTADB:
        case SQLITE_NOLFS:
            return error_nature::outage;
        case SQLITE_BUSY:
        case SQLITE_LOCKED:
        case SQLITE_PROTOCOL:  // a race for the journal's locks
        case SQLITE_NOMEM:
        case SQLITE_SCHEMA:
        case SQLITE_INTERRUPT:
        case SQLITE_CORRUPT:  // perhaps of one page
            return error_nature::retryable;
        default:
            return error_nature::permanent;
    }
}

/// Empty when there is none.
std::string number_of(const std::filesystem::path& file) {
    struct stat found {};
    if (::stat(file.c_str(), &found) != 0) return {};
    return fmt::format("{}:{}", found.st_dev, found.st_ino);
}

/// The words of a trigger are the application's own, and may quote a row.
bool has_foreign_words(int code) { return code == SQLITE_CONSTRAINT_TRIGGER; }

std::filesystem::path file_of(sqlite3& db) {
    const char* const name = sqlite3_db_filename(&db, "main");
    return name == nullptr || *name == '\0' ? ":memory:" : name;
}

std::string remedy_for(int code, const sqlite_options& options) {
    switch (code & 0xff) {
        case SQLITE_BUSY:
        case SQLITE_LOCKED:
            return fmt::format("another connection kept the lock for more than {}; try again, or end its transaction",
                               std::chrono::duration_cast<std::chrono::milliseconds>(options.busy_timeout));
        case SQLITE_FULL:
            return "free space on its disk";
        case SQLITE_READONLY:
        case SQLITE_PERM:
            return "make the file and its directory writable for this user";
        case SQLITE_CANTOPEN:
            return "check that the file and its directory exist and are writable for this user";
        case SQLITE_NOTADB:
            return "the file is no SQLite database; name another path";
        case SQLITE_CORRUPT:
            return "the file is damaged; restore a backup, or save what is left with sqlite3's .recover";
        case SQLITE_IOERR:
            return "check its disk";
        default:
            return "`sluice db status` tells what is in it";
    }
}

}  // namespace

connection::connection(const sqlite_options& options, open_mode mode) : options_{options} {
    open(mode);
    sqlite3_extended_result_codes(handle(), 1);
    sqlite3_busy_handler(handle(), &connection::on_busy, this);
    if (read_only_) return;
    use_wal();
    execute(options_.synchronous == sqlite_synchronous::full ? "PRAGMA synchronous = FULL"
                                                             : "PRAGMA synchronous = NORMAL");
    execute(fmt::format("PRAGMA journal_size_limit = {}", journal_bytes_kept).c_str());
    execute("PRAGMA foreign_keys = OFF");
}

connection::connection(sqlite3& borrowed)
    : options_{.path = file_of(borrowed)}, handle_{&borrowed, connection_closer{.borrowed = true}} {}

void connection::open(open_mode mode) {
    const auto& path = options_.path;
    std::error_code ignored;
    if (const auto directory = path.parent_path(); !directory.empty() && !std::filesystem::exists(directory, ignored)) {
        throw store_error{fmt::format("cannot open sqlite {}: directory {} does not exist; create it, or correct "
                                      "database_uri",
                                      path.string(), directory.string()),
                          error_nature::outage};
    }
    if (mode == open_mode::existing && !std::filesystem::exists(path, ignored)) {
        throw store_error{fmt::format("sqlite {} does not exist; run `sluice db setup`", path.string()),
                          error_nature::outage};
    }
    if (mode == open_mode::create) base::make_private_file(path);
    read_only_ = options_.look_only && mode == open_mode::existing && base::is_write_protected(path);
    sqlite3* opened = nullptr;
    const int flags = SQLITE_OPEN_NOMUTEX |
                      (read_only_ ? SQLITE_OPEN_READONLY | SQLITE_OPEN_URI : SQLITE_OPEN_READWRITE) |
                      (mode == open_mode::create ? SQLITE_OPEN_CREATE : 0);
    const std::string name = read_only_ ? base::read_only_uri(path) : path.string();
    const int code = sqlite3_open_v2(name.c_str(), &opened, flags, nullptr);
    handle_.reset(opened);
    if (code != SQLITE_OK) fail(code);
    file_number_ = number_of(path);
}

std::string connection::directory_number() const { return number_of(file().parent_path()); }

bool connection::is_in_place() const { return file_number_.empty() || number_of(options_.path) == file_number_; }

void connection::use_wal() {
    statement journal_mode{*this, "PRAGMA journal_mode = WAL"};
    const auto give_up = std::chrono::steady_clock::now() + options_.busy_timeout;
    for (;;) {
        try {
            auto answer = journal_mode.query();
            if (answer.next() && answer.view(0) == "wal") return;
            throw store_error{fmt::format("sqlite {} cannot switch to WAL; put it on a local disk, not on a network "
                                          "file system",
                                          options_.path.string()),
                              error_nature::outage};
        } catch (const store_error& e) {
            // The switch needs the file for itself and, when two do it at once, SQLite gives up without waiting.
            if (e.nature() != error_nature::retryable || std::chrono::steady_clock::now() >= give_up) throw;
        }
        std::this_thread::sleep_for(std::chrono::milliseconds{2});
    }
}

std::filesystem::path connection::file() const { return file_of(*handle()); }

void connection::execute(const char* sql) {
    if (const int code = sqlite3_exec(handle(), sql, nullptr, nullptr, nullptr); code != SQLITE_OK) fail(code);
}

int connection::on_busy(void* self, int tries) {
    using namespace std::chrono_literals;
    auto& db = *static_cast<connection*>(self);
    const auto now = std::chrono::steady_clock::now();
    if (tries == 0) db.give_up_ = now + db.options_.busy_timeout;
    if (now >= db.give_up_) return 0;
    // A writer holds the lock for about one fsync, so looking often pays; SQLite's own handler starts at 1 ms and goes
    // on to 100 ms.
    const auto pause = std::min<std::chrono::microseconds>(100us * (1 << std::min(tries, 6)), 5ms);
    std::this_thread::sleep_for(std::min<std::chrono::nanoseconds>(pause, db.give_up_ - now));
    return 1;
}

void connection::fail(int code) const {
    const bool own_words = handle() != nullptr && !has_foreign_words(code);
    const std::string words = own_words ? sqlite3_errmsg(handle()) : sqlite3_errstr(code);
    if (words.starts_with("no such table") || words.starts_with("no such column")) {
        throw store_error{fmt::format("sqlite {} has no Sluice tables of this version ({}); run `sluice db setup`",
                                      options_.path.string(), words),
                          error_nature::outage};
    }
    throw store_error{
        fmt::format("sqlite {}: {} (code {}); {}", options_.path.string(), words, code, remedy_for(code, options_)),
        nature_of(code)};
}

transaction::transaction(connection& db, kind what) : db_{db} {
    if (!db.is_in_place()) {
        throw store_error{
            fmt::format("sqlite {}: another file has taken its place, or it is gone; nothing was done, and"
                        " the file of that name is opened with the next call",
                        db.options_.path.string()),
            error_nature::outage};
    }
    (what == kind::write ? db_.begin_write_ : db_.begin_read_).run();
}

transaction::~transaction() {
    if (sqlite3_get_autocommit(db_.handle()) != 0) return;
    try {
        db_.rollback_.run();
    } catch (const store_error&) {
        // SQLite has rolled back by itself, or will when the connection is closed: nothing was committed either way.
        return;
    }
}

void transaction::commit() {
    try {
        db_.commit_.run();
    } catch (const store_error& e) {
        const bool before_the_disk = (sqlite3_errcode(db_.handle()) & 0xff) == SQLITE_BUSY;
        if (before_the_disk) throw;
        throw store_error{std::string{e.what()} + "; whether the commit took effect is unknown, read it back",
                          error_nature::in_doubt};
    }
}

}  // namespace sluice::store::sqlite
