#pragma once

#include <string>

#include "broker/kafka/client.hpp"
#include "net/deadline.hpp"

/// Steps of Kafka's transactions, each of which may be repeated until it is done.
namespace sluice::broker::kafka {

/// What came of a step.
enum class step_outcome {
    done,
    unfinished,  ///< the time has passed: the same step again
    must_abort,  ///< the transaction has to be aborted; nothing of it is visible
    fenced,      ///< another producer has taken the transactional id
    broken,      ///< this client can do no more
};

struct step_result {
    step_outcome outcome = step_outcome::done;
    std::string words{};  ///< the library's, when it is not done
};

/// Takes the transactional id: whoever had it before is fenced, and what it left open is aborted.
[[nodiscard]] step_result take_id(const client& by, const net::deadline& until);
[[nodiscard]] step_result begin_transaction(const client& by);
/// Every report of a delivery must have been read before.
[[nodiscard]] step_result commit_transaction(const client& by, const net::deadline& until);
[[nodiscard]] step_result abort_transaction(const client& by, const net::deadline& until);

}  // namespace sluice::broker::kafka
