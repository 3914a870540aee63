#include "broker/sqlite/sqlite_reader.hpp"

#include <algorithm>

namespace sluice::broker::sqlite {

/// One watch of the file is enough for all; but each connection counts the commits of the others by itself.
base::wake_reason sqlite_reader::wait(base::wake_signal& signal, duration timeout) {
    const auto other_news = [this] {
        return std::any_of(consumers().begin() + 1, consumers().end(),
                           [](sqlite_consumer& each) { return each.has_news(); });
    };
    return consumers().front().wait(signal, timeout, other_news);
}

}  // namespace sluice::broker::sqlite
