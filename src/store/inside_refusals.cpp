#include "store/inside_refusals.hpp"

#include <fmt/format.h>

namespace sluice::store {

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
