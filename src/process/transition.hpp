#pragma once

#include <map>
#include <string>
#include <string_view>

#include <sluice/json.hpp>
#include <sluice/process_manager.hpp>

#include "store/records.hpp"

namespace sluice::process {

/// A process manager's instance after one step, as its stream keeps it: `{"state": {…}, "handler_name": …,
/// "is_complete": …}`, and `"timers": {name: {"id", "due"}}` while there are any.
struct process_transition {
    json::value state{};
    std::string handler_name{};  ///< the event, or `timeout:{name}`
    bool is_complete = false;
    std::map<std::string, detail::armed_timer, std::less<>> timers{};
};

/// @param state  JSON object text, spliced in as it is
[[nodiscard]] std::string encode_transition(std::string_view state, std::string_view handler_name,
                                            const detail::process_memory& memory);

/// @throws decode_error naming stream and position when it is no transition
[[nodiscard]] process_transition decode_transition(const store::stream_event& stored);

}  // namespace sluice::process
