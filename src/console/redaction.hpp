#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <sluice/json.hpp>

#include "config/console_settings.hpp"

namespace sluice::console {

/// What of payloads is shown to whom.
///
/// Thread safety: immutable.
class redaction {
public:
    /// Stands in the place of a value that is not shown.
    static constexpr std::string_view mark = "•••";

    explicit redaction(config::console_redaction settings);

    [[nodiscard]] bool sees_payloads(config::console_role role) const noexcept;

    /// A payload as this role sees it: without the values of hidden members at any depth, also of JSON within a text;
    /// `mark` when the role sees none.
    [[nodiscard]] json::value shown(json::value payload, config::console_role role) const;
    /// A payload of which only the text is known. A text that is no JSON cannot be searched for members: when some are
    /// hidden, nothing of it is shown.
    [[nodiscard]] std::string shown_text(std::string_view payload, config::console_role role) const;

private:
    void hide(json::value& in, std::vector<std::string>& path) const;
    [[nodiscard]] bool is_hidden(const std::vector<std::string>& path) const;

    config::console_redaction settings_;
    std::vector<std::vector<std::string>> hidden_{};  ///< ends of paths
};

}  // namespace sluice::console
