#pragma once

#include <optional>
#include <string>

#include <sluice/time.hpp>

namespace sluice::sqlite {

/// A time as a text column holds it: always six digits of fraction, so that the order of the texts is the order of the
/// times.
[[nodiscard]] std::string to_sql(date_time time);
[[nodiscard]] std::optional<std::string> to_sql(const std::optional<date_time>& time);

}  // namespace sluice::sqlite
