#pragma once

#include <string>
#include <utility>

#include <sluice/error.hpp>

namespace sluice::operate {

/// A question or an action that is not carried out, though everything works: what was asked for makes no sense, is not
/// there, or must not be done now. Nothing was changed.
class refusal : public error {
public:
    enum class reason {
        wrong_request,  ///< contradicts itself, or names what cannot exist
        not_found,
        conflict  ///< with what is configured, declared or running
    };

    refusal(reason why, std::string word, const std::string& what) : error{what}, why_{why}, word_{std::move(word)} {}

    [[nodiscard]] reason why() const noexcept { return why_; }
    /// Stable word: `usage_error`, `not_found`, `still_configured`.
    [[nodiscard]] const char* code() const noexcept override { return word_.c_str(); }

private:
    reason why_;
    std::string word_;
};

[[nodiscard]] inline refusal wrong_request(const std::string& what) {
    return {refusal::reason::wrong_request, "usage_error", what};
}
[[nodiscard]] inline refusal not_found(const std::string& what) {
    return {refusal::reason::not_found, "not_found", what};
}
[[nodiscard]] inline refusal conflict(std::string word, const std::string& what) {
    return {refusal::reason::conflict, std::move(word), what};
}

}  // namespace sluice::operate
