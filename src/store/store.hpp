#pragma once

#include <memory>
#include <string>

#include "store/lane_session.hpp"
#include "store/operations.hpp"
#include "store/read_models.hpp"
#include "store/unit_session.hpp"

namespace sluice::store {

/// One database: a factory of sessions, each with a connection of its own.
///
/// Thread safety: all members may be called concurrently. Sessions must not outlive their store.
class database {
public:
    virtual ~database() = default;

    /// A few words for people: `sqlite shop.db`. Never contains credentials.
    [[nodiscard]] virtual std::string describe() const = 0;

    /// Applies the pending numbered migrations; safe to run twice and from several processes at once.
    virtual void setup() = 0;
    [[nodiscard]] virtual schema_status schema() = 0;
    /// A random id given to the database at setup; part of the producer names that fence a broker (see broker port).
    [[nodiscard]] virtual std::string identity() = 0;

    /// @throws store_error when the database cannot be opened; names it and the remedy
    [[nodiscard]] virtual std::unique_ptr<unit_session> open_unit() = 0;
    [[nodiscard]] virtual std::unique_ptr<lane_session> open_lane() = 0;
    [[nodiscard]] virtual std::unique_ptr<operations_session> open_operations() = 0;
    [[nodiscard]] virtual std::unique_ptr<read_model_session> open_read_models() = 0;
};

}  // namespace sluice::store
