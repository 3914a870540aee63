#include "broker/sqlite/commit_watch.hpp"

#include <algorithm>

#include "base/settling.hpp"

namespace sluice::broker::sqlite {
namespace {

// Grows with each commit of another connection, and not with our own.
std::int64_t version_of(connection& db) {
    query q{db, "PRAGMA data_version"};
    return q.next() ? q.integer(0) : 0;
}

}  // namespace

commit_watch::commit_watch(const std::filesystem::path& file)
    : wal_{file.has_parent_path() ? file.parent_path() : ".", file.filename().native() + "-wal"},
      last_write_{steady::now()} {}

void commit_watch::about_to_look(connection& db) { version_ = version_of(db); }

bool commit_watch::has_news(connection& db) const { return version_of(db) != version_; }

base::wake_reason commit_watch::wait(connection& db, base::wake_signal& signal, duration timeout,
                                     const std::function<bool()>& other_news) {
    const auto begin = steady::now();
    for (;;) {
        db.be_patient_again();
        if (has_news(db) || other_news()) return base::wake_reason::file_changed;
        const auto remaining = timeout - std::chrono::duration_cast<duration>(steady::now() - begin);
        switch (base::wait_any(signal, &wal_, nap(remaining))) {
            case base::wake_reason::signalled:
                return base::wake_reason::signalled;
            case base::wake_reason::file_changed:
                last_write_ = steady::now();
                break;
            case base::wake_reason::timed_out:
                if (steady::now() - begin >= timeout) return base::wake_reason::timed_out;
                break;
        }
    }
}

duration commit_watch::nap(duration remaining) const {
    constexpr duration without_watch{std::chrono::milliseconds{20}};
    const auto settling = base::look_again_after(std::chrono::duration_cast<duration>(steady::now() - last_write_));
    auto longest = std::max(remaining, duration{0});
    if (settling) longest = std::min(longest, *settling);
    if (wal_.fd() < 0) longest = std::min(longest, without_watch);
    return longest;
}

}  // namespace sluice::broker::sqlite
