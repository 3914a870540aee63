#include <algorithm>
#include <utility>

#include <sluice/error.hpp>

#include "store/memory/memory_rows.hpp"
#include "store/memory/sessions.hpp"
#include "store/row_refusals.hpp"

namespace sluice::store::memory {
namespace {

using sluice::detail::table_layout;

/// While it is locked it keeps the database's own lock, so nobody at all commits.
class memory_read_model_session final : public read_model_session {
public:
    explicit memory_read_model_session(memory_data& data) : data_{data} {}

    std::vector<projection_status> list() override {
        const auto lock = lock_unless_held();
        std::vector<projection_status> all;
        for (const auto& [name, model] : data_.read_models) all.push_back(model.status);
        return all;
    }

    std::int64_t count_rows(const row_table& table) override {
        const auto lock = lock_unless_held();
        const auto* rows = data_.rows_of(table);
        return rows == nullptr ? 0 : static_cast<std::int64_t>(rows->size());
    }

    bool create(const table_layout& layout) override {
        const auto lock = lock_unless_held();
        const auto [model, is_new] = data_.read_models.try_emplace(layout.name);
        if (!is_new) return false;
        model->second.status = {
            .name = layout.name, .generation = 1, .layout = layout.fingerprint, .built = data_.event_log.empty()};
        model->second.last_generation = 1;
        model->second.tables[1];
        return true;
    }

    void register_reader(const std::string& name, const std::string& group) override {
        const auto lock = lock_unless_held();
        const auto found = data_.read_models.find(name);
        if (found != data_.read_models.end() && found->second.status.reader.empty()) {
            found->second.status.reader = group;
        }
    }

    rebuild_status begin_rebuild(const table_layout& layout, bool restart, date_time now) override {
        const auto lock = lock_unless_held();
        memory_read_model& model = model_of(layout);
        auto& rebuild = model.status.rebuild;
        if (rebuild && rebuild->layout == layout.fingerprint && !restart) return *rebuild;
        if (rebuild) model.tables.erase(rebuild->generation);
        rebuild = rebuild_status{.generation = ++model.last_generation,
                                 .layout = layout.fingerprint,
                                 .position = 0,
                                 .started_at = now,
                                 .updated_at = now};
        model.tables[rebuild->generation];
        return *rebuild;
    }

    log_end end_of_log() override {
        const auto lock = lock_unless_held();
        return {.head = static_cast<sequence>(data_.event_log.size()), .writers = {}};
    }

    std::vector<stream_event> events(const std::vector<std::string>& categories, sequence after, sequence upto,
                                     std::size_t limit) override {
        const auto lock = lock_unless_held();
        std::vector<stream_event> found;
        const auto last = std::min(upto, static_cast<sequence>(data_.event_log.size()));
        for (sequence seq = after + 1; seq <= last && found.size() < limit; ++seq) {
            const logged_event& event = data_.event(seq);
            if (std::ranges::find(categories, event.stream_category) == categories.end()) continue;
            const auto& stream = data_.streams.at(event.stream);
            found.push_back(
                {.seq = seq, .position = std::ranges::lower_bound(stream, seq) - stream.begin(), .event = event});
        }
        return found;
    }

    std::optional<stored_row> load_row(const row_table& table, std::string_view key) override {
        const auto lock = lock_unless_held();
        return memory::load_row(data_, table, key);
    }

    void advance(const table_layout& layout, const rebuild_step& step) override {
        const auto lock = lock_unless_held();
        rebuild_status& rebuild = rebuild_at(layout, step.generation, step.from);
        for (const row_write& write : step.rows) write_row(data_, write);
        rebuild.position = step.upto;
        rebuild.updated_at = step.at;
    }

    void lock(const table_layout& layout, const rebuild_status& at) override {
        std::unique_lock lock{data_.mutex};
        static_cast<void>(rebuild_at(layout, at.generation, at.position));
        held_ = std::move(lock);
    }

    void complete(const table_layout& layout, const rebuild_step& step) override {
        const auto lock = held_.owns_lock() ? std::move(held_) : std::unique_lock{data_.mutex};
        static_cast<void>(rebuild_at(layout, step.generation, step.from));
        for (const row_write& write : step.rows) write_row(data_, write);
        projection_status& status = model_of(layout).status;
        status.generation = step.generation;
        status.layout = layout.fingerprint;
        status.built = true;
        status.floor = step.upto;
        status.rebuilt_at = step.at;
        status.rebuild.reset();
    }

    void unlock() noexcept override {
        if (held_.owns_lock()) held_.unlock();
    }

    std::size_t drop_former(const table_layout& layout) override {
        const auto lock = lock_unless_held();
        memory_read_model& model = model_of(layout);
        return std::erase_if(model.tables, [&](const auto& table) {
            const bool counts = table.first == model.status.generation;
            const bool grows = model.status.rebuild && table.first == model.status.rebuild->generation;
            return !counts && !grows;
        });
    }

private:
    [[nodiscard]] std::unique_lock<std::mutex> lock_unless_held() {
        return held_.owns_lock() ? std::unique_lock<std::mutex>{} : std::unique_lock{data_.mutex};
    }

    [[nodiscard]] memory_read_model& model_of(const table_layout& layout) {
        const auto found = data_.read_models.find(layout.name);
        if (found != data_.read_models.end()) return found->second;
        throw store_error{"read model " + layout.name + " is not registered; run `sluice db setup`",
                          error_nature::outage};
    }

    [[nodiscard]] rebuild_status& rebuild_at(const table_layout& layout, std::int64_t generation, sequence position) {
        auto& rebuild = model_of(layout).status.rebuild;
        if (!rebuild || rebuild->generation != generation || rebuild->position != position) {
            throw superseded(layout.name);
        }
        return *rebuild;
    }

    memory_data& data_;
    std::unique_lock<std::mutex> held_;
};

}  // namespace

std::unique_ptr<read_model_session> make_read_model_session(memory_data& data) {
    return std::make_unique<memory_read_model_session>(data);
}

}  // namespace sluice::store::memory
