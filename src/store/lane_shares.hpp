#pragma once

#include <span>
#include <string>
#include <string_view>

namespace sluice::store {

/// A lane and the engine that owns it.
struct owned_lane {
    std::string lane{};
    std::string owner{};
};

/// An engine that stands by for a lane and lives.
struct standing_by {
    std::string lane{};
    std::string owner{};
    bool is_heir = false;  ///< it has been chosen for the lane, and nobody has taken the lane since
};

/// Which engine is to have the lane instead of its owner, so that the engines of a database get even shares; empty when
/// the owner is to keep it. Pure.
///
/// A lane with an heir counts for the heir, also before the heir has taken it. A lane goes to the engine that gains
/// most: the difference between the two engines in lanes, together with their difference in lanes to the same broker,
/// must be 3 at least, and no other lane of the owner may have a better place to go. So each choice makes the sum of
/// the squares of all shares, of all lanes and of those to each broker, smaller: choices that are made one after the
/// other come to an end, whatever their order, and nothing goes back and forth. At the end no engine that stands by for
/// all lanes has two lanes fewer than another.
///
/// To be called within a transaction that lets no other choice happen at the same time.
///
/// @param owned  all lanes of the database that somebody owns
/// @param waiting  all who stand by for one of its lanes
[[nodiscard]] std::string choose_heir(std::string_view lane, std::span<const owned_lane> owned,
                                      std::span<const standing_by> waiting);

}  // namespace sluice::store
