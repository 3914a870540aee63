#pragma once

#include <string>
#include <string_view>

#include "envelope/header.hpp"

/// Texts of foreign messages may be no texts. So that every store can keep them, what is no UTF-8 is written as `\x`
/// and its bytes in hexadecimal digits.
namespace sluice::store {

[[nodiscard]] std::string to_kept_text(std::string_view bytes);
/// What `to_kept_text` was given.
[[nodiscard]] std::string from_kept_text(std::string_view text);

/// All headers in one text, each as two netstrings: `11:traceparent,55:00-…,`.
[[nodiscard]] std::string to_kept_text(const envelope::header_list& head);
/// What is damaged is left out.
[[nodiscard]] envelope::header_list headers_from_kept_text(std::string_view text);

}  // namespace sluice::store
