#include "broker/sqlite/driver.hpp"

#include <fmt/format.h>

#include <chrono>

namespace sluice::broker::sqlite {
namespace {

using sluice::sqlite::failure;
using sluice::sqlite::problem;

std::string directory_of(const std::filesystem::path& file) {
    return file.has_parent_path() ? file.parent_path().native() : ".";
}

std::string reason(const failure& what) {
    switch (what.what) {
        case problem::busy:
        case problem::old_snapshot:
            return fmt::format("another process has been writing for more than {} ms; look for one that hangs",
                               std::chrono::ceil<std::chrono::milliseconds>(what.patience).count());
        case problem::damaged:
        case problem::no_database:
            return fmt::format("{}; restore it from a backup, or move it away to begin with an empty broker",
                               what.words);
        case problem::full:
            return "the disk is full; free some space";
        case problem::read_only:
            return "it cannot be written; give this user write access to the file and to its directory";
        case problem::cannot_open:
            return "it cannot be opened; check that it is a file and that this user may read and write it";
        case problem::disk:
            return fmt::format("{} ({}); check the disk and its file system", what.words, what.code);
        case problem::no_directory:
            return fmt::format("directory {} does not exist; create it or bring it back", directory_of(what.file));
        case problem::no_file:
            return "the file has vanished; put it back, or restart to begin with an empty broker";
        case problem::replaced:
            return "another file has taken its place, or it is gone; nothing was done, and the file of that name is "
                   "opened with the next call";
        case problem::no_wal:
            return "it cannot have a write-ahead log; put it on a local disk, not on a network file system";
        default:
            return fmt::format("{} ({})", what.words, what.code);
    }
}

}  // namespace

std::exception_ptr to_outage(const failure& what) {
    const bool only_busy = what.what == problem::busy || what.what == problem::old_snapshot;
    return std::make_exception_ptr(
        outage{fmt::format("sqlite broker {}: {}", what.file.native(), reason(what)),
               only_busy ? outage::connection_state::usable : outage::connection_state::suspect});
}

}  // namespace sluice::broker::sqlite
