#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/wake.hpp"
#include "broker/redis/connection.hpp"
#include "broker/redis/entry_id.hpp"

namespace sluice::broker::redis {

/// Sleeps until streams have entries behind known ones. Over a connection of its own, because a command that blocks
/// cannot be called back: when something else ends the sleep, it stays under way and is used by the next one.
///
/// Thread safety: used by one thread at a time.
class bell {
public:
    struct place {
        std::string key;
        entry_id seen;  ///< later entries ring
    };
    using places = std::vector<place>;

    explicit bell(std::shared_ptr<server> at) : link_{std::move(at), "sluice-bell"} {}

    /// `file_changed` stands for a ring; then each place that rang has the entry that did as its `seen`. Trouble with
    /// the server makes it an ordinary sleep: whoever reads next finds out.
    [[nodiscard]] base::wake_reason wait(base::wake_signal& signal, duration timeout, places& where);

private:
    [[nodiscard]] base::wake_reason listen(base::wake_signal& signal, const net::deadline& end, places& where);
    void ask(connection& on, const places& where);
    [[nodiscard]] static bool rings(const reply& answer, places& where);
    /// A question under way that is about other streams cannot be called back but by hanging up.
    void forget_other_question(const places& where);

    link link_;
    bool asked_ = false;
    std::vector<std::string> asked_about_;
    net::deadline answer_due_{duration{0}};
};

}  // namespace sluice::broker::redis
