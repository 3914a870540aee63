#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "broker/broker.hpp"
#include "http/vital_signs.hpp"
#include "operate/lanes.hpp"
#include "store/store.hpp"

namespace sluice::http {

/// What one database says of its lanes and its schedule.
struct database_findings {
    operate::lane_records lanes{};
    /// The oldest transaction that has written events and not ended, when there is one that lasts.
    std::optional<store::open_writer> writer{};
    std::optional<date_time> next_due{};  ///< of the schedule; empty when nothing is scheduled
};

/// Asks a database for its lanes and its schedule, over connections of its own; and now and then counts its rows, which
/// takes long where the history is long.
///
/// Thread safety: `look` belongs to one thread, `findings` to any.
class database_check {
public:
    explicit database_check(std::shared_ptr<store::database> database) : database_{std::move(database)} {}

    /// A connection that proves bad is replaced once before that counts as trouble: it may just have been cut.
    /// @throws store_error
    void look();
    /// The last answers.
    [[nodiscard]] database_findings findings() const;

private:
    void ask();
    void open();
    void close() noexcept;

    std::shared_ptr<store::database> database_;
    std::unique_ptr<store::operations_session> session_;
    std::unique_ptr<store::unit_session> schedule_;
    instant opened_{};
    instant count_at_{};
    mutable std::mutex mutex_;
    database_findings found_;
};

/// Asks a broker whether it answers, over a connection of its own; and now and then, when somebody reads from it, how
/// far the groups are.
///
/// Thread safety: `look` belongs to one thread, the rest to any.
class broker_check {
public:
    using operations_opener = std::function<std::unique_ptr<broker::operations>()>;

    /// @param operations  to ask for the groups; empty when nobody reads from the broker
    broker_check(std::shared_ptr<broker::broker> broker, operations_opener operations)
        : broker_{std::move(broker)}, make_operations_{std::move(operations)} {}

    /// @throws broker_error
    void look();
    /// Ends the look under way, and those to come, at once.
    void hurry() noexcept;
    /// Empty before the first answer.
    [[nodiscard]] std::optional<std::vector<broker::group_status>> findings() const;

private:
    [[nodiscard]] broker::publisher& open_publisher();
    [[nodiscard]] broker::operations& open_operations();
    void ask_for_groups();

    std::shared_ptr<broker::broker> broker_;
    operations_opener make_operations_;
    bool in_a_hurry_ = false;
    std::unique_ptr<broker::publisher> publisher_;
    std::unique_ptr<broker::operations> operations_;
    instant groups_at_{};
    mutable std::mutex mutex_;
    std::optional<std::vector<broker::group_status>> groups_;
};

}  // namespace sluice::http
