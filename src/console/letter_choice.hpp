#pragma once

#include <string>

#include "console/context.hpp"
#include "operate/dead_letters.hpp"

namespace sluice::console {

/// Dead letters that somebody chose; what is empty means any.
struct letter_choice {
    std::string broker{};
    std::string stream{};
    std::string group{};
    std::string id{};
    bool all = false;  ///< nothing else is said: all of every broker
};

/// @throws request_error when nothing is chosen, or there is no such letter; broker_error
[[nodiscard]] operate::letter_change change_of(const context& in, operate::letter_action what,
                                               const letter_choice& choice);
/// `broker partner, group shop.notify`, for people and the audit log.
[[nodiscard]] std::string to_text(const letter_choice& choice);

}  // namespace sluice::console
