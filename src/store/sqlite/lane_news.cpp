#include "store/sqlite/lane_news.hpp"

namespace sluice::store::sqlite {

lane_news::state lane_news::look() {
    auto found = look_.query();
    if (!found.next()) return {};
    return {.newest_event = found.integer(0), .rescans = found.integer(1), .released = found.integer(2)};
}

}  // namespace sluice::store::sqlite
