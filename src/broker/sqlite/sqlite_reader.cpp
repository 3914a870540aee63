#include "broker/sqlite/sqlite_reader.hpp"

#include <algorithm>

namespace sluice::broker::sqlite {

sqlite_reader::sqlite_reader(const std::shared_ptr<broker_file>& file, const std::vector<std::string>& streams,
                             const membership& member) {
    for (const std::string& stream : streams) consumers_.emplace_back(file, stream, member);
}

/// One watch of the file is enough for all; but each connection counts the commits of the others by itself.
base::wake_reason sqlite_reader::wait(base::wake_signal& signal, duration timeout) {
    const auto other_news = [this] {
        return std::any_of(consumers_.begin() + 1, consumers_.end(),
                           [](sqlite_consumer& each) { return each.has_news(); });
    };
    return consumers_.front().wait(signal, timeout, other_news);
}

void sqlite_reader::heartbeat(date_time now) {
    for (sqlite_consumer& each : consumers_) each.heartbeat(now);
}

void sqlite_reader::release() {
    for (sqlite_consumer& each : consumers_) each.release();
}

}  // namespace sluice::broker::sqlite
