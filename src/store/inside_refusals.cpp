#include "store/inside_refusals.hpp"

#include <fmt/format.h>

#include "store/contended_keys.hpp"

namespace sluice::store {

expected_version_error wrong_version(const state_write& refused) {
    if (refused.what == state_write::operation::insert) {
        return expected_version_error{
            fmt::format("{} {} exists already; load it instead of adding it", refused.aggregate, refused.id),
            state_key(refused.aggregate, refused.id)};
    }
    return expected_version_error{fmt::format("{} {} is no longer at version {}; load it again and retry",
                                              refused.aggregate, refused.id, refused.version - 1),
                                  state_key(refused.aggregate, refused.id)};
}

expected_version_error wrong_position(const event_write& refused, std::string_view position) {
    return expected_version_error{
        fmt::format("stream {} is at position {}, not {} as expected; load it again and retry", refused.event.stream,
                    position, refused.expected_position.value_or(-1)),
        stream_key(refused.event.stream)};
}

duplicate_message logged_already(const logged_event& refused) {
    return duplicate_message{fmt::format("message {} is in the event log already", refused.message_id)};
}

duplicate_message handled_before(const inbox_mark& refused) {
    return duplicate_message{fmt::format("message {} was handled by {} before", refused.message_id, refused.handler)};
}

duplicate_outcome key_in_use(const command_outcome& refused) {
    return duplicate_outcome{fmt::format("idempotency key {} is in use; read its outcome instead of repeating {}",
                                         refused.key, refused.command)};
}

expected_version_error not_due_any_more(const cancellation& refused) {
    return expected_version_error{
        fmt::format("scheduled message {} is no longer due at {}; it was released, moved or cancelled meanwhile",
                    refused.id, refused.due ? refused.due->to_string() : "any time")};
}

lease_lost epoch_is_over(const lease_fence& refused) {
    return lease_lost{
        fmt::format("lease {} no longer has epoch {}; leave the work to its new owner", refused.lane, refused.epoch)};
}

}  // namespace sluice::store
