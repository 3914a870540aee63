#include <functional>
#include <map>
#include <mutex>
#include <span>
#include <utility>

#include <sluice/error.hpp>

#include "broker/rabbitmq/rabbitmq_broker.hpp"
#include "contract/broker_contract.hpp"
#include "contract/helped_broker.hpp"
#include "support/eventually.hpp"
#include "support/rabbitmq_server.hpp"

namespace sluice::broker::contract {
namespace {

/// Messages come a moment after they are asked for, and the suite looks once: `read` goes on until it has as many as it
/// may, or nothing came for a moment and nothing waits in the queue either.
class patient_reader final : public reader {
public:
    /// @param waiting  how many messages the queue of a stream has for whoever reads it
    patient_reader(std::unique_ptr<reader> behind, std::function<std::int64_t(std::size_t)> waiting)
        : behind_{std::move(behind)}, waiting_{std::move(waiting)} {}

    [[nodiscard]] std::vector<delivery> read(std::size_t stream, std::size_t limit, date_time now) override {
        constexpr duration moment{std::chrono::milliseconds{150}};
        std::vector<delivery> found;
        base::wake_signal nobody;
        const auto is_done = [&] {
            using std::chrono::steady_clock;
            for (auto until = steady_clock::now() + moment; found.size() < limit;) {
                auto more = behind_->read(stream, limit - found.size(), now);
                if (!more.empty()) until = steady_clock::now() + moment;
                for (auto& each : more) found.push_back(std::move(each));
                const auto left = std::chrono::duration_cast<duration>(until - steady_clock::now());
                if (left.count() <= 0) break;
                if (found.size() < limit) static_cast<void>(behind_->wait(nobody, left));
            }
            return found.size() >= limit || waiting_(stream) == 0;
        };
        EXPECT_TRUE(sluice::testing::eventually(is_done)) << "messages stay in the queue";
        return found;
    }
    [[nodiscard]] base::wake_reason wait(base::wake_signal& signal, duration timeout) override {
        return behind_->wait(signal, timeout);
    }
    void heartbeat(date_time now) override { behind_->heartbeat(now); }
    void release() override { behind_->release(); }
    void ack(std::size_t stream, std::span<const std::string> entries) override { behind_->ack(stream, entries); }
    [[nodiscard]] keeper* own_keeper() noexcept override { return behind_->own_keeper(); }

private:
    std::unique_ptr<reader> behind_;
    std::function<std::int64_t(std::size_t)> waiting_;
};

/// Groups that exist before anything is published, as a queue only gets what comes after it: those that the suite reads
/// with. At the server they have names of their own, because tests share it.
class standing_groups final : public broker {
public:
    explicit standing_groups(const rabbitmq_options& options)
        : inner_{make_rabbitmq_broker(options)},
          founder_{make_rabbitmq_broker(options)},
          prefix_{options.exchange + "-"} {}
    standing_groups(const standing_groups&) = delete;
    standing_groups& operator=(const standing_groups&) = delete;
    ~standing_groups() override {
        if (!are_founded_) return;
        try {
            const auto operations = founder_->open_operations();
            for (const auto& [stream, groups] : founded) {
                for (const char* group : groups) operations->retire_group(stream, prefix_ + group);
            }
        } catch (const broker_error& trouble) {
            ADD_FAILURE() << trouble.what();
        }
    }

    [[nodiscard]] std::string describe() const override { return inner_->describe(); }
    [[nodiscard]] capabilities can() const override { return inner_->can(); }
    [[nodiscard]] std::unique_ptr<publisher> open_publisher() override {
        found_groups();
        return inner_->open_publisher();
    }
    [[nodiscard]] std::unique_ptr<reader> open_reader(const std::vector<std::string>& streams,
                                                      const membership& member) override {
        found_groups();
        auto there = member;
        // Each look at a stream is by an auditor that has looked at nothing yet.
        if (there.group.starts_with("audit-")) there.group = "audit-" + std::to_string(audits_++);
        there.group = prefix_ + there.group;
        return std::make_unique<patient_reader>(
            inner_->open_reader(streams, there),
            [this, streams, group = there.group](std::size_t stream) { return waiting_for(group, streams[stream]); });
    }
    [[nodiscard]] std::unique_ptr<operations> open_operations() override {
        found_groups();
        return std::make_unique<operations_here>(inner_->open_operations(), prefix_);
    }

private:
    /// That takes more than a second: a test that does not concern this broker does without.
    void found_groups() {
        const std::lock_guard lock{founding_};
        if (std::exchange(are_founded_, true)) return;
        for (const auto& [stream, groups] : founded) {
            for (const char* group : groups) {
                static_cast<void>(
                    founder_->open_reader({stream}, {.group = prefix_ + group, .consumer = {}})->read(0, 0, noon));
            }
        }
    }

    class operations_here final : public operations {
    public:
        operations_here(std::unique_ptr<operations> inner, std::string prefix)
            : inner_{std::move(inner)}, prefix_{std::move(prefix)} {}

        [[nodiscard]] std::vector<dead_letter_entry> dead_letters(const dead_letter_filter& filter) override {
            return inner_->dead_letters(filter);
        }
        [[nodiscard]] std::size_t count(const dead_letter_filter& filter) override { return inner_->count(filter); }
        [[nodiscard]] letters_outcome replay(const dead_letter_filter& filter) override {
            return inner_->replay(filter);
        }
        [[nodiscard]] letters_outcome purge(const dead_letter_filter& filter) override { return inner_->purge(filter); }
        [[nodiscard]] std::vector<group_status> groups() override {
            auto found = inner_->groups();
            for (auto& each : found) each.group.erase(0, prefix_.size());
            return found;
        }
        [[nodiscard]] std::vector<known_group> known_groups() override {
            auto found = inner_->known_groups();
            for (auto& each : found) each.group.erase(0, prefix_.size());
            return found;
        }
        std::size_t rename_group(std::string_view from, std::string_view to) override {
            return inner_->rename_group(prefix_ + std::string{from}, prefix_ + std::string{to});
        }
        std::size_t retire_group(std::string_view stream, std::string_view group) override {
            return inner_->retire_group(stream, prefix_ + std::string{group});
        }
        void abandon_group(std::string_view stream, std::string_view group, date_time now) override {
            inner_->abandon_group(stream, prefix_ + std::string{group}, now);
        }
        void trim(date_time now) override { inner_->trim(now); }

    private:
        std::unique_ptr<operations> inner_;
        std::string prefix_;
    };

    static const std::map<std::string, std::vector<const char*>> founded;

    [[nodiscard]] std::int64_t waiting_for(const std::string& group, const std::string& stream) {
        for (const auto& each : overseer_->groups()) {
            if (each.group == group && each.stream == stream) return each.lag;
        }
        return 0;
    }

    std::unique_ptr<broker> inner_;
    std::unique_ptr<broker> founder_;
    std::unique_ptr<operations> overseer_ = founder_->open_operations();
    std::string prefix_;
    std::mutex founding_;
    bool are_founded_ = false;
    int audits_ = 0;
};

const std::map<std::string, std::vector<const char*>> standing_groups::founded{
    {"shop::order", {"audit-0", "audit-1", "failing", "g", "g1", "g2", "late", "new", "old"}},
    {"shop::order:backfill", {"audit-0", "audit-1", "g"}},
    {"shop::customer", {"g1"}}};

std::unique_ptr<broker> make_on_shared_node(const std::filesystem::path& /*directory*/, const clock& /*server_time*/) {
    return std::make_unique<helped_broker>(std::make_shared<standing_groups>(
        rabbitmq_options{.uri = sluice::testing::rabbitmq::server::shared().uri(),
                         .exchange = sluice::testing::rabbitmq::fresh_name("contract"),
                         .declare = true,
                         .prefetch = 10'000,
                         .connect_timeout = 20 * second,
                         .answer_timeout = 20 * second,
                         .max_message_bytes = 1'000'000}));
}

}  // namespace

INSTANTIATE_TEST_SUITE_P(rabbitmq_broker, broker_contract,
                         ::testing::Values(subject{.name = "rabbitmq",
                                                   .make = make_on_shared_node,
                                                   .deduplicates = false,
                                                   .recognises_copies = false,
                                                   .fences = false,
                                                   .fences_members = false,
                                                   .shares_groups = false,
                                                   .takes_over_by_time = false,
                                                   .confirms_acks = false,
                                                   .keeps_history = false,
                                                   .orders_across_keys = false}),
                         [](const auto& i) { return i.param.name; });

}  // namespace sluice::broker::contract
