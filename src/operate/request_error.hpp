#pragma once

#include <string>
#include <utility>

#include <sluice/error.hpp>

namespace sluice::operate {

/// A question or an action that is not carried out, though everything works: what was asked for makes no sense, is not
/// there, or must not be done now. Nothing was changed.
class request_error : public error {
public:
    enum class reason {
        wrong_request,  ///< contradicts itself, or names what cannot exist
        not_found,
        conflict  ///< with what is configured, declared or running
    };

    request_error(reason why, std::string word, const std::string& what)
        : error{what}, why_{why}, word_{std::move(word)} {}

    [[nodiscard]] reason why() const noexcept { return why_; }
    /// Stable word: `usage_error`, `not_found`, `still_configured`.
    [[nodiscard]] const char* code() const noexcept override { return word_.c_str(); }

private:
    reason why_;
    std::string word_;
};

[[nodiscard]] inline request_error wrong_request(const std::string& what) {
    return {request_error::reason::wrong_request, "usage_error", what};
}
[[nodiscard]] inline request_error not_found(const std::string& what) {
    return {request_error::reason::not_found, "not_found", what};
}
[[nodiscard]] inline request_error conflict(std::string word, const std::string& what) {
    return {request_error::reason::conflict, std::move(word), what};
}

}  // namespace sluice::operate
