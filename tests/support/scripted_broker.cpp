#include "support/scripted_broker.hpp"

#include <algorithm>
#include <set>

#include <sluice/error.hpp>

#include "broker/admission.hpp"

namespace sluice::testing {

using broker::delivered;
using broker::outgoing;
using broker::unreachable;
using broker::verdict;

void broker_script::set_unreachable(bool away, std::string reason) {
    const std::lock_guard lock{mutex_};
    outage_ = away ? std::optional{std::move(reason)} : std::nullopt;
}

void broker_script::hang(bool hanging) {
    const std::lock_guard lock{mutex_};
    hanging_ = hanging;
    hang_ended_.notify_all();
}

void broker_script::refuse(std::string message_id, int times, bool permanent) {
    const std::lock_guard lock{mutex_};
    refusals_[std::move(message_id)] = {times, permanent};
}

void broker_script::lose_confirmation_of(int messages) {
    const std::lock_guard lock{mutex_};
    lost_confirmations_ = messages;
}

std::vector<accepted_message> broker_script::accepted(std::string_view stream) const {
    const std::lock_guard lock{mutex_};
    const auto found = accepted_.find(stream);
    return found != accepted_.end() ? found->second : std::vector<accepted_message>{};
}

std::vector<std::string> broker_script::accepted_ids(std::string_view stream) const {
    std::vector<std::string> ids;
    for (const auto& message : accepted(stream)) ids.push_back(message.message_id);
    return ids;
}

std::size_t broker_script::duplicates() const {
    const std::lock_guard lock{mutex_};
    return duplicates_;
}

std::size_t broker_script::probes() const {
    const std::lock_guard lock{mutex_};
    return probes_;
}

std::size_t broker_script::attempts() const {
    const std::lock_guard lock{mutex_};
    return attempts_;
}

std::optional<std::string> broker_script::outage() const {
    const std::lock_guard lock{mutex_};
    return outage_;
}

void broker_script::require_reachable() const {
    if (const auto reason = outage()) throw broker_error{*reason, error_nature::retryable};
}

bool broker_script::silent_for(duration timeout, const instant& leave_by) {
    std::unique_lock lock{mutex_};
    if (!hanging_) return false;
    const auto end = std::chrono::steady_clock::now() + timeout;
    while (hanging_ && std::chrono::steady_clock::now() < std::min(end, leave_by)) {
        hang_ended_.wait_until(lock, std::min(end, leave_by));
    }
    return true;
}

void broker_script::hurry(instant& leave_by, duration patience) {
    const std::lock_guard lock{mutex_};
    leave_by = std::chrono::steady_clock::now() + patience;
    hang_ended_.notify_all();
}

std::optional<broker::refused> broker_script::refusal_of(std::string_view message_id) {
    const std::lock_guard lock{mutex_};
    const auto found = refusals_.find(message_id);
    if (found == refusals_.end() || found->second.times == 0) return std::nullopt;
    if (found->second.times > 0) --found->second.times;
    return broker::refused{"scripted refusal of " + found->first, "scripted", found->second.permanent};
}

bool broker_script::loses_confirmation() {
    const std::lock_guard lock{mutex_};
    if (lost_confirmations_ == 0) return false;
    --lost_confirmations_;
    return true;
}

void broker_script::record(const outgoing& message, const delivered& confirmation) {
    const std::lock_guard lock{mutex_};
    std::string stream{message.stream};
    if (!receipts_.emplace(stream, confirmation.receipt).second) {
        ++duplicates_;
        return;
    }
    accepted_[std::move(stream)].push_back(
        {std::string{message.message_id}, std::string{message.key}, std::string{message.body}, confirmation.receipt});
}

void broker_script::count_probe() {
    const std::lock_guard lock{mutex_};
    ++probes_;
}

void broker_script::count_attempt() {
    const std::lock_guard lock{mutex_};
    ++attempts_;
}

class scripted_publisher final : public broker::publisher {
public:
    scripted_publisher(std::unique_ptr<broker::publisher> behind, std::shared_ptr<broker_script> script)
        : behind_{std::move(behind)}, script_{std::move(script)} {}

    [[nodiscard]] std::vector<verdict> publish(std::span<const outgoing> batch, const broker::producer& from,
                                               duration timeout) override {
        script_->count_attempt();
        if (script_->silent_for(timeout, leave_by_)) return all(batch, "no confirmation in time");
        if (const auto reason = script_->outage()) return all(batch, *reason);

        broker::admission gate{0};
        std::vector<verdict> verdicts(batch.size());
        std::vector<outgoing> sent;
        std::vector<std::size_t> places;
        for (std::size_t i = 0; i < batch.size(); ++i) {
            if (auto no = gate.check(batch[i])) {
                verdicts[i] = *std::move(no);
            } else if (auto refusal = script_->refusal_of(batch[i].message_id)) {
                gate.hold_back(batch[i]);
                verdicts[i] = *std::move(refusal);
            } else {
                sent.push_back(batch[i]);
                places.push_back(i);
            }
        }
        auto answers = send(sent, from, timeout);
        for (std::size_t i = 0; i < answers.size(); ++i) verdicts[places[i]] = std::move(answers[i]);
        return verdicts;
    }

    [[nodiscard]] std::string probe(duration timeout) override {
        script_->count_probe();
        if (script_->silent_for(timeout, leave_by_)) return "no answer in time";
        if (auto reason = script_->outage()) return *std::move(reason);
        return behind_->probe(timeout);
    }

    [[nodiscard]] std::optional<broker::fence_state> rival() const override { return behind_->rival(); }
    void hurry(duration patience) noexcept override {
        script_->hurry(leave_by_, patience);
        behind_->hurry(patience);
    }

private:
    static std::vector<verdict> all(std::span<const outgoing> batch, const std::string& reason) {
        return std::vector<verdict>(batch.size(), unreachable{reason});
    }

    [[nodiscard]] std::vector<verdict> send(std::span<const outgoing> sent, const broker::producer& from,
                                            duration timeout) {
        if (sent.empty()) return {};
        const std::lock_guard one_at_a_time{script_->publishing_};
        auto answers = behind_->publish(sent, from, timeout);
        std::set<std::string_view> lost_keys;
        for (std::size_t i = 0; i < answers.size(); ++i) {
            const auto* confirmation = std::get_if<delivered>(&answers[i]);
            if (confirmation == nullptr) continue;
            script_->record(sent[i], *confirmation);
            const bool lost = lost_keys.contains(sent[i].key) || script_->loses_confirmation();
            if (!lost) continue;
            if (!sent[i].key.empty()) lost_keys.insert(sent[i].key);
            answers[i] = unreachable{"the connection broke before the confirmation"};
        }
        return answers;
    }

    std::unique_ptr<broker::publisher> behind_;
    std::shared_ptr<broker_script> script_;
    std::chrono::steady_clock::time_point leave_by_ = std::chrono::steady_clock::time_point::max();
};

namespace {

class scripted_reader final : public broker::reader, public broker::keeper {
public:
    scripted_reader(std::unique_ptr<broker::reader> behind, std::shared_ptr<broker_script> script)
        : behind_{std::move(behind)}, script_{std::move(script)} {}

    [[nodiscard]] std::vector<broker::delivery> read(std::size_t stream, std::size_t limit, date_time now) override {
        return reachable().read(stream, limit, now);
    }
    [[nodiscard]] base::wake_reason wait(base::wake_signal& signal, duration timeout) override {
        if (script_->outage()) return base::wait_any(signal, nullptr, timeout);
        return behind_->wait(signal, timeout);
    }
    void heartbeat(date_time now) override { reachable().heartbeat(now); }
    void release() override { reachable().release(); }
    void ack(std::size_t stream, std::span<const std::string> entries) override { reachable().ack(stream, entries); }
    [[nodiscard]] broker::keeper* own_keeper() noexcept override { return this; }

    void defer(std::size_t stream, const broker::delivery& message, int attempts, date_time not_before) override {
        reachable().own_keeper()->defer(stream, message, attempts, not_before);
    }
    void dead_letter(std::size_t stream, const broker::delivery& message, const broker::death& why) override {
        reachable().own_keeper()->dead_letter(stream, message, why);
    }

private:
    broker::reader& reachable() {
        script_->require_reachable();
        return *behind_;
    }

    std::unique_ptr<broker::reader> behind_;
    std::shared_ptr<broker_script> script_;
};

class scripted_operations final : public broker::operations {
public:
    scripted_operations(std::unique_ptr<broker::operations> behind, std::shared_ptr<broker_script> script)
        : behind_{std::move(behind)}, script_{std::move(script)} {}

    [[nodiscard]] std::vector<broker::dead_letter_entry> dead_letters(
        const broker::dead_letter_filter& filter) override {
        return reachable().dead_letters(filter);
    }
    [[nodiscard]] std::size_t count(const broker::dead_letter_filter& filter) override {
        return reachable().count(filter);
    }
    [[nodiscard]] broker::letters_outcome replay(const broker::dead_letter_filter& filter) override {
        return reachable().replay(filter);
    }
    [[nodiscard]] broker::letters_outcome purge(const broker::dead_letter_filter& filter) override {
        return reachable().purge(filter);
    }
    [[nodiscard]] std::vector<broker::group_status> groups() override { return reachable().groups(); }
    [[nodiscard]] std::vector<broker::known_group> known_groups() override { return reachable().known_groups(); }
    std::size_t rename_group(std::string_view from, std::string_view to) override {
        return reachable().rename_group(from, to);
    }
    std::size_t retire_group(std::string_view stream, std::string_view group) override {
        return reachable().retire_group(stream, group);
    }
    void abandon_group(std::string_view stream, std::string_view group, date_time now) override {
        reachable().abandon_group(stream, group, now);
    }
    void trim(date_time now) override { reachable().trim(now); }

private:
    broker::operations& reachable() {
        script_->require_reachable();
        return *behind_;
    }

    std::unique_ptr<broker::operations> behind_;
    std::shared_ptr<broker_script> script_;
};

}  // namespace

std::unique_ptr<broker::publisher> scripted_broker::open_publisher() {
    return std::make_unique<scripted_publisher>(behind_->open_publisher(), script_);
}

std::unique_ptr<broker::reader> scripted_broker::open_reader(const std::vector<std::string>& streams,
                                                             const sluice::broker::membership& member) {
    return std::make_unique<scripted_reader>(behind_->open_reader(streams, member), script_);
}

std::unique_ptr<broker::operations> scripted_broker::open_operations() {
    return std::make_unique<scripted_operations>(behind_->open_operations(), script_);
}

}  // namespace sluice::testing
