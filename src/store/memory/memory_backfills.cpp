#include <algorithm>
#include <memory>
#include <mutex>

#include "store/backfills.hpp"
#include "store/memory/sessions.hpp"

namespace sluice::store::memory {
namespace {

class memory_backfill_session final : public backfill_session {
public:
    explicit memory_backfill_session(memory_data& data) : data_{data} {}

    std::vector<backfill> list(std::string_view broker, std::size_t limit) override;
    backfill_count count(const backfill_order& order) override;
    backfill begin(const backfill_order& order, date_time now) override;
    std::optional<backfill> change(std::string_view broker, backfill_state to, std::optional<double> rate,
                                   date_time now) override;

private:
    memory_data& data_;
};

std::vector<backfill> memory_backfill_session::list(std::string_view broker, std::size_t limit) {
    const std::lock_guard lock{data_.mutex};
    std::vector<backfill> found;
    for (auto each = data_.backfills.rbegin(); each != data_.backfills.rend() && found.size() < limit; ++each) {
        if (broker.empty() || each->order.broker == broker) found.push_back(*each);
    }
    return found;
}

backfill_count memory_backfill_session::count(const backfill_order& order) {
    const std::lock_guard lock{data_.mutex};
    const auto& rows = data_.outbox[order.broker];
    backfill_count found;
    for (sequence seq = order.after + 1; seq <= std::ssize(data_.event_log); ++seq) {
        const auto& event = data_.event(seq);
        if (!is_ordered(order, event.type, event.stream, event.stream_category)) continue;
        ++(rows.contains(seq) ? found.known : found.events);
    }
    return found;
}

backfill memory_backfill_session::begin(const backfill_order& order, date_time now) {
    const std::lock_guard lock{data_.mutex};
    if (data_.open_backfill(order.broker) != nullptr) throw backfill_under_way(order.broker);
    data_.backfills.push_back({.number = std::ssize(data_.backfills) + 1,
                               .order = order,
                               .position = order.after,
                               .upto = std::max<sequence>(std::ssize(data_.event_log), order.after),
                               .begun_at = now,
                               .paced_at = now});
    data_.look_again(order.broker, order.after + 1);
    data_.tell_lanes();
    return data_.backfills.back();
}

std::optional<backfill> memory_backfill_session::change(std::string_view broker, backfill_state to,
                                                        std::optional<double> rate, date_time now) {
    const std::lock_guard lock{data_.mutex};
    auto* const open = data_.open_backfill(broker);
    if (open == nullptr) return std::nullopt;
    open->state = to;
    open->order.rate = rate.value_or(open->order.rate);
    open->paced_at = now;
    if (!holds_back(to)) open->ended_at = now;
    data_.tell_lanes();
    return *open;
}

}  // namespace

std::unique_ptr<backfill_session> make_backfill_session(memory_data& data) {
    return std::make_unique<memory_backfill_session>(data);
}

}  // namespace sluice::store::memory
