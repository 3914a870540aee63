#pragma once

#include <chrono>
#include <filesystem>
#include <functional>

#include "base/wake.hpp"
#include "broker/sqlite/connection.hpp"

namespace sluice::broker::sqlite {

/// Sleeps until another connection, of this or of any process, commits to the file.
///
/// Thread safety: used by one thread at a time.
class commit_watch {
public:
    /// @param file  the database; its `-wal` is watched
    explicit commit_watch(const std::filesystem::path& file);

    /// Call before looking for work: a commit after this ends the next wait.
    void about_to_look(connection& db);
    /// Whether another connection has committed since `about_to_look`.
    [[nodiscard]] bool has_news(connection& db) const;
    /// @param other_news  asked beside our own `has_news`; looks at the same file over another connection
    [[nodiscard]] base::wake_reason wait(connection& db, base::wake_signal& signal, duration timeout,
                                         const std::function<bool()>& other_news);

private:
    using steady = std::chrono::steady_clock;

    [[nodiscard]] duration nap(duration remaining) const;

    base::file_watch wal_;
    std::int64_t version_ = -1;
    steady::time_point last_write_;
};

}  // namespace sluice::broker::sqlite
