#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include <sluice/json.hpp>

#include "operate/causation_tree.hpp"
#include "operate/open_databases.hpp"

namespace sluice::operate {

/// Which part of a trace is wanted.
enum class trace_part {
    all,
    causes,  ///< only what led to the message
    effects  ///< only what came of the message
};

/// What caused what within one correlation.
struct event_trace {
    std::string correlation_id;          ///< empty: the event belongs to none and stands alone
    std::optional<std::string> asked{};  ///< the message that was asked for; none: a correlation was
    causation_tree tree;
};

/// @param word  id of a message, else a correlation id
/// @throws request_error (not_found), store_error
[[nodiscard]] event_trace read_trace(const std::vector<open_database>& databases, const std::string& word);

/// How far a look at one message goes: a correlation is found by reading the log, and may have a million messages.
struct trace_bounds {
    store::sequence numbers = 10'000;  ///< of the log, before and after the message
    std::size_t most = 300;            ///< messages of its correlation there, those next to it
    bool with_rows = true;             ///< where the copies of each are
};

/// The same, but of a message only, and only what led to it and what is near.
/// @throws request_error (not_found), store_error
[[nodiscard]] event_trace read_trace_near(const std::vector<open_database>& databases, const std::string& message_id,
                                          const trace_bounds& bounds);

/// Nodes of the tree: for `causes` the path down to the message, else the roots of what is to be drawn.
/// @throws request_error (wrong_request) for a part of a trace that was not asked for by a message
[[nodiscard]] std::vector<std::size_t> nodes_of(const event_trace& trace, trace_part part, const std::string& word);

[[nodiscard]] json::value to_json(const event_trace& trace, trace_part part, const std::string& word);

}  // namespace sluice::operate
