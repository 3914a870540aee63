#include "http/vital_signs.hpp"

#include <algorithm>
#include <utility>

namespace sluice::http {

const char* to_string(sign s) noexcept { return s == sign::ok ? "ok" : "unavailable"; }

void vital_signs::answered(instant now) {
    asked_.reset();
    last_ = result{now, {}};
}

void vital_signs::failed(instant now, std::string reason) {
    asked_.reset();
    last_ = result{now, reason.empty() ? std::string{"it failed without a reason"} : std::move(reason)};
}

vital_sign vital_signs::at(instant now) const {
    vital_sign seen;
    if (last_) seen.age = std::chrono::duration_cast<duration>(now - last_->at);
    if (asked_ && now - *asked_ > patience_) {
        const auto silent = std::chrono::duration_cast<std::chrono::seconds>(now - *asked_);
        seen.is = sign::unavailable;
        seen.reason = "no answer for " + std::to_string(silent.count()) + " s";
    } else if (!last_) {
        seen.reason = "not checked yet";
    } else {
        seen.is = last_->trouble.empty() ? sign::ok : sign::unavailable;
        seen.reason = last_->trouble;
    }
    return seen;
}

duration pause_after(duration took, duration least) noexcept {
    constexpr int share = 50;
    constexpr duration most = std::chrono::minutes{1};
    return std::max(least, std::min(took * share, most));
}

}  // namespace sluice::http
