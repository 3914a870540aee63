#pragma once

#include <array>
#include <memory>
#include <string>

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
    using places = std::array<place, 2>;

    explicit bell(std::shared_ptr<server> at) : link_{std::move(at), "sluice-bell"} {}

    /// `file_changed` stands for a ring. Trouble with the server makes it an ordinary sleep: whoever reads next finds
    /// out.
    [[nodiscard]] base::wake_reason wait(base::wake_signal& signal, duration timeout, const places& where);
    /// The entry that rang last, for each place.
    [[nodiscard]] const std::array<entry_id, 2>& heard() const noexcept { return heard_; }

private:
    [[nodiscard]] base::wake_reason listen(base::wake_signal& signal, const deadline& end, const places& where);
    void ask(connection& on, const places& where);
    [[nodiscard]] bool rings(const reply& answer, const places& where);

    link link_;
    bool asked_ = false;
    deadline answer_due_{duration{0}};
    std::array<entry_id, 2> heard_{};
};

}  // namespace sluice::broker::redis
