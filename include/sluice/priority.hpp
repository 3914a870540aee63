#pragma once

#include <sluice/context.hpp>

namespace sluice {

/// Names for the usual priorities; any int is one. Below `server.priority_lanes.threshold` messages take the backfill
/// lane.
namespace priority {
inline constexpr int bulk = -100;
inline constexpr int low = -50;
inline constexpr int normal = 0;
inline constexpr int high = 50;
inline constexpr int critical = 100;
}  // namespace priority

/// Everything that is processed, submitted or recorded through a context while this object lives has its priority. The
/// one before comes back at the end, also after an exception; scopes nest. A priority in `process_options` beats it.
///
/// @code
/// {
///     const sluice::processing_priority scope{context, sluice::priority::low};
///     for (const auto& each : import) context.process(PlaceOrder{…});
/// }
/// @endcode
///
/// Thread safety: that of the context, which belongs to one thread. Lifetime: must end before the context does.
class [[nodiscard]] processing_priority {
public:
    /// @param in  must not be moved meanwhile
    /// @throws usage_error, and whatever an enricher throws, about events that were recorded before in an open unit
    processing_priority(context& in, int priority);
    processing_priority(const processing_priority&) = delete;
    processing_priority& operator=(const processing_priority&) = delete;
    /// Events that were recorded meanwhile get their metadata now. What an enricher throws is logged, and the unit
    /// cannot commit.
    ~processing_priority();

private:
    context& context_;
    int before_;
};

}  // namespace sluice
