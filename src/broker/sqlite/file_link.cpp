#include "broker/sqlite/file_link.hpp"

#include <system_error>

#include "broker/sqlite/schema.hpp"

namespace sluice::broker::sqlite {
namespace {

/// A burst of writing must not leave a huge -wal file behind.
constexpr std::int64_t journal_bytes_kept = std::int64_t{64} * 1024 * 1024;

sluice::sqlite::connection_options driver_options(const sqlite_broker_options& options, flush how, duration patience) {
    const bool hard = how == flush::as_configured && options.synchronous == sqlite_synchronous::full;
    return {.file = options.path,
            .translate = &to_outage,
            .synchronous = hard ? sqlite_synchronous::full : sqlite_synchronous::normal,
            .busy_timeout = patience,
            .limit_all_waits = true,
            .journal_bytes_kept = journal_bytes_kept,
            .look_only = options.look_only};
}

}  // namespace

std::filesystem::path broker_file::directory() const {
    return options_.path.has_parent_path() ? options_.path.parent_path() : ".";
}

connection& file_link::open(duration patience) {
    // The connection goes before anything is opened: an old file at a new place must not be touched through this path.
    if (connection_ && !connection_->is_in_place()) connection_.reset();
    if (connection_) {
        connection_->limit_waits(patience);
    } else {
        connect(patience);
    }
    return *connection_;
}

bool file_link::untouched() const {
    std::error_code ignored;
    return !file_->was_there() && !sluice::sqlite::file_identity::at(file_->options().path) &&
           std::filesystem::is_directory(file_->directory(), ignored);
}

void file_link::after(const outage& failure) noexcept {
    if (failure.suspect()) connection_.reset();
}

void file_link::connect(duration patience) {
    const auto& options = file_->options();
    const auto mode = file_->was_there() ? connection::open_mode::existing : connection::open_mode::create;
    auto opened = std::make_unique<connection>(driver_options(options, how_, patience), mode);
    prepare_schema(*opened, options.path);
    connection_ = std::move(opened);
    file_->note_there();
    ++generation_;
}

}  // namespace sluice::broker::sqlite
