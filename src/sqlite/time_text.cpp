#include "sqlite/time_text.hpp"

#include <cstddef>
#include <string_view>

namespace sluice::sqlite {

std::string to_sql(date_time time) {
    constexpr std::size_t end_of_seconds = std::string_view{"2026-11-23T07:56:25"}.size();
    auto text = time.to_string();
    if (text.at(end_of_seconds) != '.') text.insert(end_of_seconds, ".000000");
    return text;
}

std::optional<std::string> to_sql(const std::optional<date_time>& time) {
    if (!time) return std::nullopt;
    return to_sql(*time);
}

}  // namespace sluice::sqlite
