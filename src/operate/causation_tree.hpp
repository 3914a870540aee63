#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "store/records.hpp"

namespace sluice::operate {

/// A message of the log and where its copies are.
struct traced_message {
    std::string database;
    store::stream_event at;
    std::string kind;          ///< EVENT or COMMAND, as the metadata says; empty when it says nothing
    std::string causation_id;  ///< empty at the root
    std::vector<store::outbox_row> rows{};
};

/// Reads kind and cause from the metadata of a message; text that is no metadata leaves them empty.
[[nodiscard]] traced_message make_traced(std::string database, store::stream_event at);
/// `metadata.domain.correlation_id`; empty when there is none.
[[nodiscard]] std::string correlation_of(const store::logged_event& event);

/// What caused what among the messages of one correlation. Pure.
///
/// A cause that is not in the log (a command of the application itself that ran at once, a message of another context)
/// is a node without a message, above its effects. Causes that form a circle, which only a broken or hostile writer
/// makes, are cut.
class causation_tree {
public:
    struct node {
        std::string id;
        std::optional<traced_message> message{};  ///< none: known as a cause only
        std::vector<std::size_t> effects{};       ///< indices of nodes, in the order of the log
        std::optional<std::size_t> cause{};
    };

    /// @param messages  in any order
    explicit causation_tree(std::vector<traced_message> messages);

    [[nodiscard]] const std::vector<node>& nodes() const noexcept { return nodes_; }
    /// Nodes without a cause, those first whose first message is the earliest.
    [[nodiscard]] const std::vector<std::size_t>& roots() const noexcept { return roots_; }
    [[nodiscard]] std::optional<std::size_t> find(std::string_view id) const;
    /// From the root down to the node, both included: what led to it.
    [[nodiscard]] std::vector<std::size_t> path_to(std::size_t last) const;

private:
    [[nodiscard]] bool would_close_a_circle(std::size_t effect, std::size_t cause) const;
    [[nodiscard]] std::size_t node_of_cause(const std::string& id);

    std::vector<node> nodes_;
    std::map<std::string, std::size_t, std::less<>> index_;  ///< by id
    std::vector<std::size_t> roots_;
};

}  // namespace sluice::operate
