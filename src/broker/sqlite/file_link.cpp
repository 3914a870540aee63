#include "broker/sqlite/file_link.hpp"

#include <fmt/format.h>

#include "broker/sqlite/schema.hpp"

namespace sluice::broker::sqlite {
namespace {

constexpr const char* flush_pragma(flush how, sqlite_synchronous configured) {
    return how == flush::as_configured && configured == sqlite_synchronous::full ? "PRAGMA synchronous = FULL"
                                                                                 : "PRAGMA synchronous = NORMAL";
}

// A burst of writing must not leave a huge -wal file behind.
constexpr const char* limit_wal = "PRAGMA journal_size_limit = 67108864";

}  // namespace

std::filesystem::path broker_file::directory() const {
    return options_.path.has_parent_path() ? options_.path.parent_path() : ".";
}

connection& file_link::open(duration patience) {
    const auto there = identity_at_path();
    // The connection goes before anything is opened: an old file at a new place must not be touched through this path.
    if (connection_ && there != identity_) connection_.reset();
    if (connection_) {
        connection_->be_patient(patience);
    } else {
        // Decided by the look above: since then another process may have begun the file.
        if (!there && (file_->was_there() || !has_directory())) fail_missing();
        connect(patience);
    }
    return *connection_;
}

bool file_link::untouched() const { return !file_->was_there() && !identity_at_path() && has_directory(); }

bool file_link::has_directory() const {
    std::error_code ignored;
    return std::filesystem::is_directory(file_->directory(), ignored);
}

void file_link::after(const outage& failure) noexcept {
    if (failure.suspect()) connection_.reset();
}

std::optional<file_link::identity> file_link::identity_at_path() const {
    struct stat status {};
    if (::stat(file_->options().path.c_str(), &status) != 0) return std::nullopt;
    return identity{status.st_dev, status.st_ino};
}

void file_link::fail_missing() const {
    const auto& path = file_->options().path.native();
    if (!has_directory()) {
        throw outage{fmt::format("sqlite broker {}: directory {} does not exist; create it or bring it back", path,
                                 file_->directory().native()),
                     outage::connection_state::suspect};
    }
    throw outage{fmt::format("sqlite broker {}: the file has vanished; put it back, or restart to begin with an empty "
                             "broker",
                             path),
                 outage::connection_state::suspect};
}

void file_link::connect(duration patience) {
    const auto& options = file_->options();
    auto opened = std::make_unique<connection>(options.path, patience, options.look_only);
    prepare_schema(*opened, options.path);
    if (!opened->read_only()) {
        opened->execute(flush_pragma(how_, options.synchronous));
        opened->execute(limit_wal);
    }
    identity_ = identity_at_path();
    if (!identity_) fail_missing();
    connection_ = std::move(opened);
    file_->note_there();
    ++generation_;
}

}  // namespace sluice::broker::sqlite
