#pragma once

#include <string>
#include <string_view>

#include <sluice/message.hpp>

#include "envelope/content.hpp"
#include "observe/log.hpp"
#include "store/records.hpp"

namespace sluice::commit {

/// What the inbox knows a message by: its own id. One without is known by the broker's, which a republished copy does
/// not share.
/// @param entry  the broker's name for the delivery
[[nodiscard]] inline std::string known_as(const message& m, std::string_view entry) {
    return m.id().empty() ? std::string{entry} : m.id();
}

/// The mark that a handler's changes carry. It names the content, too: another message may come under the same id.
[[nodiscard]] inline store::inbox_mark known_as(const message& m, std::string_view entry, std::string_view handler) {
    return {.message_id = known_as(m, entry), .handler = std::string{handler}, .content = envelope::content_of(m)};
}

/// The message is handled as one of its own. Two of one id come from two histories of one domain.
inline void tell_of_reused_id(const store::inbox_mark& mark) {
    observe::log(observe::level::warn, "inbox.id_reused",
                 {{"message", mark.message_id},
                  {"handler", mark.handler},
                  {"reason", "another message of this id was handled before; this one is handled, too"},
                  {"remedy",
                   "find out whether the producer's database was restored, or whether two deployments of its domain "
                   "publish to one stream"}});
}

}  // namespace sluice::commit
