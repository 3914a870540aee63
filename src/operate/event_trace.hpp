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

/// The same, but of a message only, and only what lies within so many numbers of its log before and after it: a
/// correlation is found by reading the log, and a long one must not be read as a whole each time somebody looks at a
/// message.
/// @throws request_error (not_found), store_error
[[nodiscard]] event_trace read_trace_near(const std::vector<open_database>& databases, const std::string& message_id,
                                          store::sequence numbers);

/// Nodes of the tree: for `causes` the path down to the message, else the roots of what is to be drawn.
/// @throws request_error (wrong_request) for a part of a trace that was not asked for by a message
[[nodiscard]] std::vector<std::size_t> nodes_of(const event_trace& trace, trace_part part, const std::string& word);

[[nodiscard]] json::value to_json(const event_trace& trace, trace_part part, const std::string& word);

}  // namespace sluice::operate
