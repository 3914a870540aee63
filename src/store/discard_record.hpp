#pragma once

#include <string>
#include <string_view>

#include <sluice/time.hpp>

namespace sluice::store {

/// The `last_error` of a row that an operator discarded: `{"reason":"discarded","message":…,"at":…}`.
[[nodiscard]] std::string discard_record(std::string_view reason, date_time at);

}  // namespace sluice::store
