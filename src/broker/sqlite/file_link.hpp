#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <utility>

#include "broker/sqlite/driver.hpp"
#include "broker/sqlite/sqlite_broker.hpp"

namespace sluice::broker::sqlite {

/// One configured broker file and what all links of this process know about it.
///
/// Thread safety: may be used concurrently.
class broker_file {
public:
    explicit broker_file(sqlite_broker_options options) : options_{std::move(options)} {}

    [[nodiscard]] const sqlite_broker_options& options() const noexcept { return options_; }
    [[nodiscard]] date_time now() const { return (options_.time ? *options_.time : system_clock()).now(); }
    [[nodiscard]] std::filesystem::path directory() const;

    [[nodiscard]] bool was_there() const noexcept { return was_there_; }
    void note_there() noexcept { was_there_ = true; }

private:
    sqlite_broker_options options_;
    std::atomic<bool> was_there_ = false;
};

/// How a link's commits are flushed.
enum class flush {
    as_configured,  ///< `sqlite_broker_options::synchronous`
    lazily          ///< survives every process; a power failure may take back the last commits
};

/// Keeps one connection to the broker's file: opens it on demand, notices when the file is missing, replaced or back.
///
/// Thread safety: used by one thread at a time.
class file_link {
public:
    file_link(std::shared_ptr<broker_file> file, flush how) : file_{std::move(file)}, how_{how} {}

    /// The connection to the file that is at the path now; made on first use.
    /// @param patience  how long to wait for other processes, this and the following statements together
    /// @throws outage naming what is missing
    [[nodiscard]] connection& open(duration patience);
    [[nodiscard]] connection& open() { return open(file_->options().busy_timeout); }
    /// True when the broker was never used: its directory is there, its file is not.
    [[nodiscard]] bool untouched() const;

    /// Closes the connection unless it is good for further use after this failure.
    void after(const outage& failure) noexcept;

    /// Grows with every new connection: what was read through an older one may not hold any more.
    [[nodiscard]] std::uint64_t generation() const noexcept { return generation_; }
    [[nodiscard]] const broker_file& file() const noexcept { return *file_; }

private:
    void connect(duration patience);

    std::shared_ptr<broker_file> file_;
    flush how_;
    std::unique_ptr<connection> connection_;
    std::uint64_t generation_ = 0;
};

}  // namespace sluice::broker::sqlite
