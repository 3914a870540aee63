#pragma once

#include <memory>
#include <string>

#include "broker/operations.hpp"
#include "commit/environment.hpp"
#include "store/kept_messages.hpp"

namespace sluice::consume {

/// The operations of a broker that keeps nothing of what failed, together with the messages that a database keeps for
/// it: its dead letters are those there, called `kept/17`, and those that wait there count as pending.
/// @param name  configured name of the broker
[[nodiscard]] std::unique_ptr<broker::operations> make_keeping_operations(
    std::string name, std::unique_ptr<broker::operations> inner, std::unique_ptr<store::kept_message_session> kept);

/// What operators need of a broker, with what the context's default database keeps for it, if anything.
/// @param parts  the broker among them
/// @throws broker_error  the broker or that database is away
[[nodiscard]] std::unique_ptr<broker::operations> open_broker_operations(const commit::adapters& parts,
                                                                         const std::string& name);

}  // namespace sluice::consume
