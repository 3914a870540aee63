#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <sluice/json.hpp>

#include "broker/operations.hpp"
#include "operate/installation.hpp"
#include "operate/outage.hpp"

namespace sluice::operate {

/// The operators' side of a configured broker.
struct open_broker {
    std::string name;
    std::unique_ptr<broker::operations> operations;
};

/// A dead letter and the broker that keeps it.
struct located_letter {
    std::string broker;
    broker::dead_letter_entry letter;
};

/// Dead letters of several brokers, newest first.
struct letters_view {
    std::vector<located_letter> letters{};
    std::vector<outage> away{};
    bool none_answered = false;  ///< all brokers are away
};

/// The broker that was asked for, or all. @param wanted  empty: all
/// @throws request_error (wrong_request) when it is not configured, with the names that are
[[nodiscard]] std::vector<open_broker> open_brokers(const commit::adapters& parts, const std::string& wanted);

/// Looks on every broker; one that is away is named in the answer and does not hide the others. At most `filter.limit`.
[[nodiscard]] letters_view find_letters(const std::vector<open_broker>& brokers,
                                        const broker::dead_letter_filter& filter);
/// The one letter with that id; several brokers may number alike.
/// @throws request_error when there is none, or several have one
[[nodiscard]] const located_letter& the_one(const letters_view& found, const std::string& id);

/// Leaves of the brokers the one that keeps the letter, and narrows the filter to the letter's group.
void narrow(std::vector<open_broker>& brokers, broker::dead_letter_filter& filter, const located_letter& wanted);

[[nodiscard]] json::value to_json(const located_letter& located);
/// The letters only.
[[nodiscard]] json::value to_json(const letters_view& view);

/// What an operator may do with dead letters.
enum class letter_action {
    replay,  ///< hands them back to the group that failed, so somebody must read for it
    purge    ///< deletes them: nothing brings them back
};

[[nodiscard]] const char* to_string(letter_action what) noexcept;

/// Why some dead letters of one broker were not changed.
struct left_letters {
    std::string broker;
    broker::letters_outcome::left_behind what;  ///< with no stream: the broker as a whole, an unknown number
};

/// What came of a change.
struct changed_letters {
    std::size_t changed = 0;
    std::vector<left_letters> left{};
};

[[nodiscard]] json::value to_json(const changed_letters& outcome);

/// The matching dead letters of one broker, by whether a handler of this build reads for their group.
struct readership {
    std::vector<broker::letters_outcome::left_behind> unread{};
    std::vector<broker::dead_letter_filter> read{};  ///< one for each group that is; only of use beside unread ones
    std::size_t unread_letters = 0;
};

/// A change of all dead letters that match: how many they are is known before anything is done.
///
/// Thread safety: none. Lifetime: the readers must outlive it.
class letter_change {
public:
    /// Counts the letters. A broker that is away is left out, unless it is the only one.
    /// @param filter  its limit counts for nothing
    /// @param readers  tell what groups are read by this build; null: not checked
    /// @throws broker_error
    letter_change(std::vector<open_broker> brokers, letter_action what, broker::dead_letter_filter filter,
                  const declared_installation* readers);

    [[nodiscard]] std::size_t count() const noexcept { return count_; }
    /// A broker that fails on the way does not keep the others from theirs.
    [[nodiscard]] changed_letters apply();

private:
    void count_letters(const open_broker& broker, const declared_installation* readers);
    [[nodiscard]] broker::letters_outcome run(const open_broker& broker) const;
    [[nodiscard]] broker::letters_outcome run(broker::operations& on, const broker::dead_letter_filter& filter) const;
    void leave(const std::string& broker, std::string reason);

    std::vector<open_broker> brokers_;
    letter_action what_;
    broker::dead_letter_filter filter_;
    std::map<std::string, readership> readers_{};  ///< by broker
    std::vector<left_letters> left_{};
    std::size_t count_ = 0;
};

}  // namespace sluice::operate
