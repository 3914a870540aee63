#pragma once

#include <exception>
#include <string>
#include <utility>

#include <sluice/error.hpp>

#include "cli/terminal/exit_code.hpp"

namespace sluice::cli {

/// A command that cannot go on, with the exit code it ends with.
class failure : public error {
public:
    failure(exit_code how, std::string word, const std::string& what)
        : error{what}, how_{how}, word_{std::move(word)} {}

    [[nodiscard]] exit_code how() const noexcept { return how_; }
    [[nodiscard]] const char* code() const noexcept override { return word_.c_str(); }

private:
    exit_code how_;
    std::string word_;
};

[[nodiscard]] inline failure wrong_usage(const std::string& what) { return {exit_code::usage, "usage_error", what}; }

/// What an exception means to people and scripts.
struct verdict_on_error {
    exit_code how = exit_code::internal;
    std::string code;  ///< stable word
    std::string message;
};

/// @param foreign  what an exception means that is none of Sluice's: `failed` while code of the domain runs
[[nodiscard]] verdict_on_error judge(const std::exception& error, exit_code foreign = exit_code::internal);

}  // namespace sluice::cli
