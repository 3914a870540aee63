#pragma once

#include <chrono>
#include <optional>
#include <string>

#include <sluice/time.hpp>

namespace sluice::http {

using instant = std::chrono::steady_clock::time_point;
[[nodiscard]] inline instant instant_now() { return std::chrono::steady_clock::now(); }

enum class sign { unknown, ok, unavailable };

/// `ok` or `unavailable`; what was never asked is not available either.
[[nodiscard]] const char* to_string(sign s) noexcept;

struct vital_sign {
    sign is = sign::unknown;
    std::string reason{};           ///< why it is not ok, one line
    std::optional<duration> age{};  ///< of the last finished check; empty before the first
};

/// What is known of something that is asked again and again how it is. Pure.
///
/// Whoever does not answer within the patience is not available, whether or not the question ever comes back: so a
/// party that hangs cannot hold up whoever wants to know.
///
/// Thread safety: none.
class vital_signs {
public:
    explicit vital_signs(duration patience) : patience_{patience} {}

    void asked(instant now) { asked_ = now; }
    void answered(instant now);
    void failed(instant now, std::string reason);

    [[nodiscard]] vital_sign at(instant now) const;

private:
    struct result {
        instant at;
        std::string trouble;  ///< empty: none
    };

    duration patience_;
    std::optional<instant> asked_{};  ///< while a question is open
    std::optional<result> last_{};
};

/// How long to leave alone what was just looked at: at least `least`, and so long that looking takes no more than a
/// fiftieth of the time, but no longer than a minute.
[[nodiscard]] duration pause_after(duration took, duration least) noexcept;

}  // namespace sluice::http
