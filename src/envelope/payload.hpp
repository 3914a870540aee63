#pragma once

#include <optional>
#include <string>
#include <utility>

#include <sluice/json.hpp>

namespace sluice::envelope {

/// The data of one message: the text that is stored and sent, and what it says. The text is read and its checksum made
/// when they are first asked for, and never again.
///
/// Thread safety: none.
class payload {
public:
    /// @param text  a JSON object, as the codec writes it
    explicit payload(std::string text) : text_{std::move(text)} {}
    explicit payload(json::value said) : text_{json::dump(said)}, value_{std::move(said)} {}

    [[nodiscard]] const std::string& text() const noexcept { return text_; }
    /// @throws decode_error when the text is no JSON
    [[nodiscard]] const json::value& value() const;
    /// 64 hex digits over the canonical form.
    /// @throws decode_error when the text is no JSON
    [[nodiscard]] const std::string& checksum() const;

private:
    std::string text_;
    mutable std::optional<json::value> value_;
    mutable std::string checksum_;
};

}  // namespace sluice::envelope
