#include "store/sqlite/journal_watch.hpp"

#include <algorithm>
#include <chrono>

#include "base/settling.hpp"

namespace sluice::store::sqlite {
namespace {

using namespace std::chrono_literals;
using base::wake_reason;

duration since(std::chrono::steady_clock::time_point begin) {
    return std::chrono::floor<duration>(std::chrono::steady_clock::now() - begin);
}

duration left_until(std::chrono::steady_clock::time_point end) {
    return std::chrono::ceil<duration>(end - std::chrono::steady_clock::now());
}

}  // namespace

journal_watch::journal_watch(connection& db)
    : watch_{db.file().parent_path(), db.file().filename().string() + "-wal"}, look_{db, look_sql}, seen_{look()} {}

journal_watch::state journal_watch::look() {
    auto found = look_.query();
    if (!found.next()) return {};
    return {.newest_event = found.integer(0), .rescans = found.integer(1), .released = found.integer(2)};
}

wake_reason journal_watch::wait(base::wake_signal& signal, duration timeout) {
    constexpr duration longest = 24h;
    const auto end = std::chrono::steady_clock::now() + std::clamp(timeout, duration{0}, longest);
    for (;;) {
        if (look() != seen_) return wake_reason::file_changed;
        const auto left = left_until(end);
        if (left <= duration{0}) return wake_reason::timed_out;
        // What was written before this wait may become visible only now.
        const auto next_look = base::look_again_after(since(last_write_)).value_or(longest);
        switch (base::wait_any(signal, &watch_, std::min(left, next_look))) {
            case wake_reason::signalled:
                return wake_reason::signalled;
            case wake_reason::file_changed:
                last_write_ = std::chrono::steady_clock::now();
                break;
            case wake_reason::timed_out:
                break;
        }
    }
}

}  // namespace sluice::store::sqlite
