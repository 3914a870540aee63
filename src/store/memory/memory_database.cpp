#include "store/memory/memory_database.hpp"

#include <algorithm>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "base/ids.hpp"
#include "base/random.hpp"
#include "store/lane_name.hpp"
#include "store/memory/lane_link.hpp"
#include "store/memory/sessions.hpp"

namespace sluice::store {
namespace {

class memory_database final : public database {
public:
    explicit memory_database(std::string name) : name_{std::move(name)} {}

    std::string describe() const override { return "memory " + name_; }

    void setup() override {}  // it is born ready
    schema_status schema() override { return {.applied = 1, .expected = 1, .pending = {}}; }
    std::string identity() override { return history().identity; }
    database_history history() override;
    void claim(std::string_view domain) override;
    adopted adopt(const adoption& how) override;
    std::vector<history_fault> faults(std::size_t most_rows) override;
    std::vector<weakness> weaknesses() override { return {}; }

    std::unique_ptr<unit_session> open_unit() override { return memory::make_unit_session(data_); }
    std::unique_ptr<lease_session> open_lease() override {
        return memory::make_lease_session(std::make_shared<memory::lane_link>(data_));
    }
    lane_session open_lane() override {
        const auto link = std::make_shared<memory::lane_link>(data_);
        return {.lease = memory::make_lease_session(link), .rows = memory::make_row_source(link)};
    }
    std::unique_ptr<operations_session> open_operations() override { return memory::make_operations_session(data_); }
    std::unique_ptr<kept_message_session> open_kept_messages() override {
        return memory::make_kept_message_session(data_);
    }
    std::unique_ptr<read_model_session> open_read_models() override { return memory::make_read_model_session(data_); }
    std::unique_ptr<backfill_session> open_backfills() override { return memory::make_backfill_session(data_); }

private:
    const std::string name_;
    memory::memory_data data_{.identity = base::uuid4_hex(base::system_random())};
};

/// The rows of a lane that are open at or below its mark, in the order of their numbers.
std::vector<sequence> open_below(memory::memory_data& data, const std::string& lane, sequence mark) {
    std::vector<sequence> open;
    const auto part = shard_of(lane);
    const auto rows = data.outbox.find(broker_of(lane));
    if (rows == data.outbox.end()) return open;
    for (const auto& [seq, row] : rows->second) {
        if (seq <= mark && is_open(row.status) && part.carries(data.event(seq).stream)) open.push_back(seq);
    }
    return open;
}

std::vector<history_fault> memory_database::faults(std::size_t most_rows) {
    const std::lock_guard lock{data_.mutex};
    std::vector<history_fault> found;
    for (const auto& [lane, lease] : data_.leases) {
        const auto open = most_rows == 0 ? std::vector<sequence>{} : open_below(data_, lane, lease.mark);
        if (!open.empty()) found.push_back(open_below_fault(lane, lease.mark, open.size(), open.front()));
    }
    return found;
}

database_history memory_database::history() {
    const std::lock_guard lock{data_.mutex};
    return {.identity = data_.identity,
            .incarnation = data_.incarnation,
            .domain = data_.domain,
            .place = {},
            .timeline = 0,
            .stamp = {{"incarnation", std::to_string(data_.incarnation)}}};
}

void memory_database::claim(std::string_view domain) {
    {
        const std::lock_guard lock{data_.mutex};
        if (data_.domain.empty()) data_.domain = domain;
    }
    require_domain(history(), describe(), domain);
}

adopted memory_database::adopt(const adoption& how) {
    const std::lock_guard lock{data_.mutex};
    data_.incarnation = std::max(data_.incarnation, how.above) + 1;
    if (how.copy) data_.identity = base::uuid4_hex(base::system_random());
    if (!how.domain.empty()) data_.domain = how.domain;
    adopted done{.identity = data_.identity, .incarnation = data_.incarnation};
    for (auto& [lane, lease] : data_.leases) {
        lease.owner.clear();
        lease.epoch = std::max(lease.epoch, data_.incarnation);
        ++lease.rescan;
        ++done.lanes;
        if (const auto open = open_below(data_, lane, lease.mark); !open.empty()) {
            lease.mark = open.front() - 1;
            done.reopened += open.size();
        }
    }
    data_.tell_lanes();
    return done;
}

}  // namespace

std::unique_ptr<database> make_memory_database(std::string name) {
    return std::make_unique<memory_database>(std::move(name));
}

}  // namespace sluice::store
