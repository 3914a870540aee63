#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "operate/row_change.hpp"

namespace sluice::console {

/// Rows that somebody chose: those that match, or single ones.
struct row_choice {
    struct picked_row {
        std::string broker;
        std::string message_id;
    };

    store::outbox_filter filter{};
    std::vector<picked_row> picked{};  ///< then the filter counts for nothing
    bool all = false;                  ///< an empty filter means all of them
    std::string reason{};              ///< of a discard
};

/// A change of chosen rows: how many they are is known before anything is done.
///
/// Thread safety: none. Lifetime: the installation must outlive it.
class chosen_rows {
public:
    /// So many single rows are changed at once.
    static constexpr std::size_t most_picked = 500;

    /// @throws request_error when nothing is chosen, or too much, or the action is not about such rows; store_error
    chosen_rows(const operate::installation& with, operate::row_action what, const row_choice& choice);

    /// More than `row_change::most_counted` means: more than these.
    [[nodiscard]] std::size_t count() const;
    /// @throws store_error
    [[nodiscard]] operate::rows_outcome apply();

private:
    std::vector<operate::row_change> changes_{};
};

/// `broker partner, status failed`, for people and the audit log.
[[nodiscard]] std::string to_text(const row_choice& choice);

}  // namespace sluice::console
