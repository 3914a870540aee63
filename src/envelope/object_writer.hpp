#pragma once

#include <concepts>
#include <optional>
#include <string>
#include <string_view>

#include <sluice/json.hpp>

namespace sluice::envelope {

/// Appends one JSON object to a text, member by member. Keys must be plain words that need no escaping.
class object_writer {
public:
    explicit object_writer(std::string& out) : out_{out} { out_ += '{'; }

    void text(std::string_view key, std::string_view value) {
        begin(key);
        json::append_string(out_, value);
    }
    void text_or_null(std::string_view key, const std::optional<std::string>& value) {
        begin(key);
        if (value) {
            json::append_string(out_, *value);
        } else {
            out_ += "null";
        }
    }
    template <std::integral I>
    void number(std::string_view key, I value) {
        begin(key);
        out_ += std::to_string(value);
    }
    void boolean(std::string_view key, bool value) { raw(key, value ? "true" : "false"); }
    void null(std::string_view key) { raw(key, "null"); }
    /// `json_text` is spliced as it is.
    void raw(std::string_view key, std::string_view json_text) {
        begin(key);
        out_ += json_text;
    }
    /// Starts a member whose value the caller appends to the same text.
    void begin(std::string_view key) {
        if (!first_) out_ += ',';
        first_ = false;
        out_ += '"';
        out_ += key;
        out_ += "\":";
    }
    void end() { out_ += '}'; }

private:
    std::string& out_;
    bool first_ = true;
};

}  // namespace sluice::envelope
