#include "broker/webhook/retry_after.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>

#include "broker/webhook/http_date.hpp"

namespace sluice::broker::webhook {

duration read_retry_after(std::string_view value, std::string_view answered, date_time now) {
    if (value.empty()) return {};
    if (value.find_first_not_of("0123456789") == std::string_view::npos) {
        std::uint64_t seconds = 0;
        const auto [end, failure] = std::from_chars(value.data(), value.data() + value.size(), seconds);
        constexpr auto most = static_cast<std::uint64_t>(std::chrono::seconds{std::chrono::hours{1}}.count());
        static_assert(longest_retry_after == std::chrono::hours{1});
        if (failure == std::errc::result_out_of_range) return longest_retry_after;
        return std::chrono::seconds{std::min(seconds, most)};
    }
    const auto until = read_http_date(value, now);
    if (!until) return {};
    return std::clamp(*until - read_http_date(answered, now).value_or(now), duration{0}, longest_retry_after);
}

}  // namespace sluice::broker::webhook
