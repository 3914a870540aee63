#pragma once

#include <string>
#include <string_view>

#include <sluice/error.hpp>

/// The error of a command that had an idempotency key, written down for those who repeat the command.
namespace sluice::command {

/// True when an error is an answer to the command: permanent, and about the command rather than about its surroundings
/// or its deadline. Only such errors are remembered.
[[nodiscard]] bool is_answer(const error& failure) noexcept;

/// JSON text of an error.
[[nodiscard]] std::string encode_failure(const error& failure);

/// Throws the error again: as the class that its code names where Sluice knows it, else as a `sluice::error` with the
/// same code and text.
/// @param content  what `encode_failure` wrote
/// @throws decode_error when it did not
[[noreturn]] void throw_failure(std::string_view content);

}  // namespace sluice::command
