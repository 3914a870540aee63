#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <sluice/error.hpp>
#include <sluice/metadata.hpp>

namespace sluice::command {

/// A caller's `traceparent`; nothing when the text is empty. @throws usage_error when it is none
[[nodiscard]] inline std::optional<trace_parent> given_trace_parent(std::string_view text) {
    if (text.empty()) return std::nullopt;
    auto parent = trace_parent::from_w3c(text);
    if (!parent) {
        throw usage_error{"traceparent `" + std::string{text} + "` is not of the form 00-<32 hex>-<16 hex>-<2 hex>"};
    }
    return parent;
}

}  // namespace sluice::command
