#pragma once

#include <string>

#include "broker/publisher.hpp"
#include "observe/log.hpp"

namespace sluice::broker {

/// Says that a message was delivered although the stream has another one of the same id.
/// @param earlier  entry of one of the others
inline void tell_of_reused_id(const outgoing& message, const std::string& earlier) {
    observe::log(observe::level::warn, "broker.id_reused",
                 {{"stream", std::string{message.stream}},
                  {"message", std::string{message.message_id}},
                  {"earlier_entry", earlier},
                  {"reason", "another message of this id is in the stream; this one was delivered, too"},
                  {"remedy",
                   "find out whether this database was restored, or whether another deployment of this domain "
                   "publishes to the same stream"}});
}

}  // namespace sluice::broker
