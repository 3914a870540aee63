#pragma once

#include <string>
#include <string_view>

#include <sluice/message.hpp>

namespace sluice::commit {

/// What the inbox knows a message by: its own id. One without is known by the broker's, which a republished copy does
/// not share.
/// @param entry  the broker's name for the delivery
[[nodiscard]] inline std::string known_as(const message& m, std::string_view entry) {
    return m.id().empty() ? std::string{entry} : m.id();
}

}  // namespace sluice::commit
