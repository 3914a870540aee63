#include "store/sqlite/driver.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <chrono>
#include <cstdint>
#include <string>

#include <sluice/error.hpp>

namespace sluice::store::sqlite {
namespace {

using sluice::sqlite::failure;
using sluice::sqlite::problem;

/// An upper bound for the journal that stays behind after a burst.
constexpr std::int64_t journal_bytes_kept = std::int64_t{16} * 1024 * 1024;

error_nature nature_of(const failure& what) {
    if (what.in_doubt) return error_nature::in_doubt;
    switch (what.what) {
        case problem::old_snapshot:
            return error_nature::conflict;
        case problem::busy:
        case problem::passing:
        case problem::damaged:  // perhaps of one page
            return error_nature::retryable;
        case problem::other:
            return error_nature::permanent;
        default:
            return error_nature::outage;
    }
}

std::string remedy_for(const failure& what) {
    switch (what.what) {
        case problem::busy:
        case problem::old_snapshot:
            return fmt::format("another connection kept the lock for more than {}; try again, or end its transaction",
                               std::chrono::duration_cast<std::chrono::milliseconds>(what.patience));
        case problem::full:
            return "free space on its disk";
        case problem::read_only:
            return "make the file and its directory writable for this user";
        case problem::cannot_open:
            return "check that the file and its directory exist and are writable for this user";
        case problem::no_database:
            return "the file is no SQLite database; name another path";
        case problem::damaged:
            return "the file is damaged; restore a backup, or save what is left with sqlite3's .recover";
        case problem::disk:
            return "check its disk";
        default:
            return "`sluice db status` tells what is in it";
    }
}

std::string text_of(const failure& what) {
    const auto file = what.file.string();
    switch (what.what) {
        case problem::no_directory:
            return fmt::format("cannot open sqlite {}: directory {} does not exist; create it, or correct database_uri",
                               file, what.file.parent_path().string());
        case problem::no_file:
            return fmt::format("sqlite {} does not exist; run `sluice db setup`", file);
        case problem::replaced:
            return fmt::format(
                "sqlite {}: another file has taken its place, or it is gone; nothing was done, and the file of that "
                "name is opened with the next call",
                file);
        case problem::no_wal:
            return fmt::format("sqlite {} cannot switch to WAL; put it on a local disk, not on a network file system",
                               file);
        case problem::no_such_table:
            return fmt::format("sqlite {} has no Sluice tables of this version ({}); run `sluice db setup`", file,
                               what.words);
        default:
            return fmt::format("sqlite {}: {} (code {}); {}", file, what.words, what.code, remedy_for(what));
    }
}

}  // namespace

std::exception_ptr to_store_error(const failure& what) {
    auto text = text_of(what);
    if (what.in_doubt) text += "; whether the commit took effect is unknown, read it back";
    return std::make_exception_ptr(store_error{text, nature_of(what)});
}

sluice::sqlite::connection_options driver_options(const sqlite_options& options) {
    return {.file = options.path,
            .translate = &to_store_error,
            .synchronous = options.synchronous,
            .busy_timeout = options.busy_timeout,
            .journal_bytes_kept = journal_bytes_kept,
            .look_only = options.look_only};
}

std::optional<std::string_view> or_null(std::string_view text) {
    if (text.empty()) return std::nullopt;
    return text;
}

}  // namespace sluice::store::sqlite
