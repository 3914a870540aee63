#pragma once

#include <optional>
#include <vector>

#include "broker/kafka/client.hpp"
#include "broker/kafka/group_places.hpp"

namespace sluice::broker::kafka {

/// Commits the places of a member in the background, one commit at a time. A commit waits at the broker for as long as
/// a rebalance lasts, and the rebalance may wait for this thread: so nobody may wait for a commit here.
///
/// Thread safety: used by one thread at a time. It must not outlive the client.
class committer {
public:
    explicit committer(const client& by) : by_{by} {}

    /// False while the last one is not answered.
    [[nodiscard]] bool is_free() const noexcept { return answers_ == nullptr; }
    void commit(std::vector<kept_place> places);
    /// What is kept by now, since the last call.
    [[nodiscard]] std::vector<kept_place> kept();

private:
    const client& by_;
    queue_handle answers_{};  ///< null: there is no commit under way
    std::vector<kept_place> places_{};
    std::optional<net::deadline> until_{};
};

}  // namespace sluice::broker::kafka
