#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "projection/settled_log.hpp"
#include "store/store.hpp"

namespace sluice::operate {

/// The growing end of one database's event log. Numbers are offered in their order and only when they are final, so
/// that an event whose transaction commits later than one with a higher number is not missed.
///
/// Thread safety: none. Lifetime: the database must outlive it.
class log_tail {
public:
    log_tail(std::string name, store::database& database) : name_{std::move(name)}, database_{&database} {}

    [[nodiscard]] const std::string& name() const noexcept { return name_; }

    /// Looks how far the log is final, and connects before when it must.
    /// @throws store_error; the next call connects anew
    void look();
    /// False until the transactions that wrote events at the first look have ended.
    [[nodiscard]] bool is_known() const noexcept { return known_; }
    /// Final up to here.
    [[nodiscard]] store::sequence upto() const noexcept { return log_.settled(); }
    /// Shown up to here.
    [[nodiscard]] store::sequence position() const noexcept { return position_; }
    void move_to(store::sequence position) noexcept { position_ = position; }
    /// For reading what is there. Valid after `look`.
    [[nodiscard]] store::operations_session& session() const noexcept { return *session_; }

    /// Gives up the connections, because one has failed. True when they worked before: somebody should be told.
    bool lost();
    /// True once after `lost`, when a look has worked again.
    [[nodiscard]] bool is_back();
    /// Once, when the database has another history than before: what has changed, for people. The position then stands
    /// `looked_back` numbers earlier. Else empty.
    [[nodiscard]] std::string other_history();
    /// Once for each wait of more than five seconds for transactions that write events: what is waited for.
    [[nodiscard]] std::string long_wait(std::chrono::steady_clock::time_point now);
    /// How long to wait before the next look.
    [[nodiscard]] std::chrono::milliseconds pause(std::chrono::steady_clock::time_point now) const;

    /// So far back a lost history is searched for what is new.
    static constexpr store::sequence looked_back = 1'000;

private:
    void connect();
    void start_over(std::string why);

    std::string name_;
    store::database* database_;
    std::unique_ptr<store::operations_session> session_{};
    std::unique_ptr<store::read_model_session> end_{};
    store::database_history history_{};
    projection::settled_log log_{};
    store::sequence position_ = 0;
    bool known_ = false;
    bool was_lost_ = false;
    std::string other_history_{};
    std::chrono::steady_clock::time_point waiting_since_{};
    bool wait_told_ = false;
};

}  // namespace sluice::operate
