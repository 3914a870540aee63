#include "sqlite/commit_watch.hpp"

#include <algorithm>

#include "base/database_file.hpp"
#include "sqlite/settling.hpp"

namespace sluice::sqlite {
namespace {

using namespace std::chrono_literals;
using base::wake_reason;

duration since(std::chrono::steady_clock::time_point begin) {
    return std::chrono::floor<duration>(std::chrono::steady_clock::now() - begin);
}

}  // namespace

commit_watch::commit_watch(const connection& db)
    : wal_{db.file().parent_path(), base::write_ahead_log_of(db.file()).filename().string()} {}

wake_reason commit_watch::wait(base::wake_signal& signal, duration timeout, const std::function<bool()>& has_news) {
    const auto begin = steady::now();
    for (;;) {
        if (has_news()) return wake_reason::file_changed;
        // Without time left, too: a signal that was set before is seen.
        const auto left = std::max(timeout - since(begin), duration{0});
        const auto reason = base::wait_any(signal, &wal_, nap(left));
        if (reason == wake_reason::signalled) return reason;
        if (reason == wake_reason::file_changed) last_write_ = steady::now();
        if (left == duration{0}) return wake_reason::timed_out;
    }
}

/// What was written before this wait may become visible only now.
duration commit_watch::nap(duration left) const {
    constexpr duration without_watch = 20ms;
    auto longest = left;
    if (const auto settling = look_again_after(since(last_write_))) longest = std::min(longest, *settling);
    if (wal_.fd() < 0) longest = std::min(longest, without_watch);
    return longest;
}

}  // namespace sluice::sqlite
