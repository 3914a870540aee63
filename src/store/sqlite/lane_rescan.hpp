#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "store/lane_name.hpp"
#include "store/records.hpp"
#include "store/sqlite/driver.hpp"

namespace sluice::store::sqlite {

/// Makes lanes begin again at an earlier event.
///
/// Thread safety and lifetime: those of the connection.
class lane_rescan {
public:
    explicit lane_rescan(connection& db) : db_{db} {}

    /// All lanes of the broker, within the write transaction that is open.
    void begin_at(std::string_view broker, sequence first);

private:
    connection& db_;
    statement lanes_{db_, "SELECT lane FROM lease"};
    statement lower_{db_, "UPDATE lease SET mark = min(mark, ?2), rescan = rescan + 1 WHERE lane = ?1"};
};

}  // namespace sluice::store::sqlite
