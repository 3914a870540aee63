#include "property/lane_world.hpp"

#include <algorithm>
#include <chrono>
#include <iterator>
#include <utility>

#include <sluice/error.hpp>

#include "base/backoff.hpp"

namespace sluice::testing {

namespace {

using namespace std::chrono_literals;

constexpr auto category = "shop::order";
constexpr auto aggregate_name = "Order";
constexpr auto published_type = "Shop.OrderChanged.v1";
constexpr std::size_t every_row = 1'000'000;
constexpr int hurry_factor = 600;

std::string stream_of(int aggregate) { return std::string{category} + "-" + std::to_string(aggregate); }

bool same(const store::outbox_row& a, const store::outbox_row& b) {
    return a.seq == b.seq && a.status == b.status && a.retry_count == b.retry_count && a.receipt == b.receipt &&
           a.last_error == b.last_error && a.next_retry_at == b.next_retry_at;
}

}  // namespace

lane_world::process::process(std::shared_ptr<store::database> to_database, const flakiness& faults,
                             scripted_broker to_broker, const outbox::lane_settings& settings, lane_world& world)
    : database{std::move(to_database)},
      flaky{*database, faults},
      broker{std::move(to_broker)},
      lane{settings, outbox::lane_ports{flaky, broker, world.clock_, world.random_, world.tracer_}} {}

lane_world::lane_world(std::uint64_t seed, world_parts parts)
    : random_{seed},
      faults_{.chance = 0, .random = &random_},
      parts_{std::move(parts)},
      writing_{parts_.network != nullptr ? parts_.network->connect_database() : parts_.database},
      unit_{writing_->open_unit()},
      operations_{parts_.database->open_operations()},
      backfills_{parts_.database->open_backfills()},
      overlapping_{below(2) == 0 ? outbox::overlap::none : outbox::overlap::deferred} {
    settings_.messages_per_tick = 1 + below(6);
    settings_.retry.max_attempts = 1 + static_cast<int>(below(4));
    settings_.retry.base_delay_seconds = below(2) == 0 ? 0 : 5;
    settings_.tick_interval = 60;
    settings_.lease_seconds = 90;
    settings_.cleanup.interval_seconds = 30;
    settings_.cleanup.batch_size = 3;
    settings_.cleanup.published_retention_hours = below(2) == 0 ? 0.01 : 168;
    if (clock_.flows()) hurry();
    if (below(2) == 0) faults_.chance = 0.03;
    if (parts_.network != nullptr) {
        settings_.publish_timeout_seconds = 0.2;  // real time, spent whenever the network says nothing
        if (below(2) == 0) overlapping_ = outbox::overlap::threaded;
    }

    west_has_joined_ = below(2) == 0;
    for (const auto& [name, behind] : parts_.brokers) {
        post p{.broker = name, .script = std::make_shared<broker_script>()};
        p.now = new_processes(p);
        posts_.push_back(std::move(p));
    }
}

/// What takes minutes takes moments, where nobody can make time pass.
void lane_world::hurry() {
    settings_.tick_interval /= hurry_factor;
    settings_.lease_seconds /= hurry_factor;
    settings_.retry.base_delay_seconds /= hurry_factor;
    settings_.max_probe_interval_seconds /= hurry_factor;
    settings_.cleanup.interval_seconds /= hurry_factor;
    settings_.cleanup.published_retention_hours /= hurry_factor;
}

void lane_world::live(int steps) {
    for (int i = 0; i < steps; ++i) {
        if (parts_.network != nullptr && below(6) == 0) disturb_network();
        switch (below(27)) {
            case 0:
            case 1:
            case 2:
            case 3:
                commit_some();
                break;
            case 4:
            case 5:
                pass_time();
                break;
            case 6:
                toggle_outage();
                break;
            case 7:
                plan_refusal();
                break;
            case 8:
                lose_confirmations();
                break;
            case 9:
                crash_lane();
                break;
            case 10:
                freeze_lane();
                break;
            case 11:
                turn_frozen();
                break;
            case 12:
                stop_lane();
                break;
            case 13:
                operator_retry();
                break;
            case 14:
                operator_discard();
                break;
            case 15:
                check_rows();
                break;
            case 16:
                change_shards();
                break;
            case 17:
                set_calendar();
                break;
            case 18:
                operator_backfills();
                break;
            default:
                turn_some();
                break;
        }
    }
}

/// A commit that failed is as if it had never been tried: its numbers, and so its ids, are used again.
void lane_world::commit_some() {
    auto numbers = numbers_;
    std::vector<committed_event> events;
    store::commit_batch batch;
    batch.at = clock_.now();
    for (auto count = 1 + below(4); count > 0; --count) {
        const auto aggregate = below(numbers.size());
        const int number = ++numbers.at(aggregate);
        const auto stream = stream_of(static_cast<int>(aggregate));
        const committed_event event{stream + "-" + std::to_string(number), static_cast<int>(aggregate), number,
                                    below(3) != 0};
        store::event_write write;
        write.event = {event.message_id,
                       stream,
                       category,
                       event.published ? published_type : "Shop.OrderChecked.v1",
                       "{}",
                       R"({"headers":{"id":")" + event.message_id + R"(","type":"Shop.OrderChanged.v1","stream":")" +
                           stream + "\"}}",
                       batch.at};
        write.target_brokers = {"default"};
        if (event.published) write.target_brokers.emplace_back("east");
        if (event.published && west_has_joined_) write.target_brokers.emplace_back("west");
        batch.events.push_back(std::move(write));
        events.push_back(event);
        tell("commit " + event.message_id + (event.published ? " published" : ""));
    }
    auto versions = versions_;
    for (std::size_t aggregate = 0; aggregate < numbers.size(); ++aggregate) {
        if (numbers.at(aggregate) == numbers_.at(aggregate)) continue;
        const auto version = versions.at(aggregate)++;
        batch.states.push_back(
            {.what = version == 0 ? store::state_write::operation::insert : store::state_write::operation::update,
             .aggregate = aggregate_name,
             .id = std::to_string(aggregate),
             .version = version,
             .state = "{}"});
    }
    if (!write(batch)) return;
    numbers_ = numbers;
    versions_ = versions;
    events_.insert(events_.end(), events.begin(), events.end());
}

/// False when nothing was written.
bool lane_world::write(const store::commit_batch& batch) {
    try {
        unit_->commit(batch);
        return true;
    } catch (const store_error& trouble) {
        tell(std::string{"commit failed: "} + trouble.what());
        const auto& id = batch.events.front().event.message_id;
        const bool is_there = operations_->event(id).has_value();
        if (is_there && !trouble.in_doubt()) complain("P1: " + id + " was reported as not written, and was");
        return is_there;
    }
}

void lane_world::turn_some() {
    auto& p = any_post();
    auto& lane = any_process(p)->lane;
    for (auto turns = 1 + below(10); turns > 0; --turns) turn(lane);
}

std::optional<instant> lane_world::turn(outbox::lane& lane) {
    const auto next = lane.turn();
    hand_overs_ += lane.state() == outbox::lane_state::draining ? 1 : 0;
    tell(lane.name() + " of " + lane.owner() + " " + outbox::to_string(lane.state()) +
         (next ? " rests " + std::to_string(next->index()) : ""));
    if (!next) return std::nullopt;
    const auto* const nap = std::get_if<outbox::action::sleep>(&*next);
    return nap != nullptr ? std::optional{nap->until} : std::nullopt;
}

void lane_world::pass_time() {
    const auto longest = below(3) == 0 ? 200'000'000U : 3'000'000U;
    const duration passes{static_cast<std::int64_t>(below(longest))};
    clock_.advance(clock_.flows() ? passes / hurry_factor : passes);
    tell("time " + clock_.now().to_string());
}

/// Of the machine that all of this runs on.
void lane_world::set_calendar() {
    const auto jump = std::chrono::minutes{static_cast<std::int64_t>(below(240)) - 120};
    clock_.set_calendar_ahead(jump);
    tell("the calendar is set to " + clock_.now().to_string());
}

void lane_world::toggle_outage() {
    auto& p = any_post();
    const bool away = !p.script->outage().has_value();
    p.script->set_unreachable(away);
    tell(p.broker + (away ? " away" : " back"));
}

void lane_world::plan_refusal() {
    if (events_.empty()) return;
    auto& p = any_post();
    const auto id = any_message();
    const int times = 1 + static_cast<int>(below(5));
    const bool permanent = below(4) == 0;
    p.script->refuse(id, times, permanent);
    p.may_be_refused.insert(id);
    tell(p.broker + " refuses " + id + " " + std::to_string(times) + (permanent ? " for good" : ""));
}

void lane_world::lose_confirmations() {
    if (parts_.network != nullptr) return disturb_network();  // what is lost there is lost for the broker's adapter too
    auto& p = any_post();
    p.script->lose_confirmation_of(1 + static_cast<int>(below(3)));
    tell(p.broker + " loses confirmations");
}

void lane_world::disturb_network() { tell(parts_.network->disturb(random_)); }

/// Gone without a word: the lease stays until it expires.
void lane_world::crash_lane() {
    auto& p = any_post();
    auto& crashed = any_process(p);
    tell(crashed->lane.name() + " crashes");
    crashed = successor_of(p, *crashed);
}

void lane_world::freeze_lane() {
    auto& p = any_post();
    auto& frozen = any_process(p);
    tell(frozen->lane.name() + " freezes");
    auto successor = successor_of(p, *frozen);
    p.frozen.push_back(std::exchange(frozen, std::move(successor)));
}

/// An owner that comes back to life after somebody else took its lease must not change a row.
void lane_world::turn_frozen() {
    auto& p = any_post();
    if (p.frozen.empty()) return;
    auto& zombie = p.frozen[below(p.frozen.size())]->lane;
    const bool fenced = is_owned_by_successor(zombie);
    const auto before = rows_of(p.broker);
    tell(zombie.name() + ", frozen, moves" + (fenced ? " behind its successor" : ""));
    for (auto turns = 1 + below(6); turns > 0; --turns) turn(zombie);
    const auto after = rows_of(p.broker);
    // Where time flows, the successor's lease may have expired meanwhile.
    if (!fenced || !is_owned_by_successor(zombie)) return;
    if (!std::equal(before.begin(), before.end(), after.begin(), after.end(), same)) {
        complain("P7: a lane without lease changed rows of " + p.broker);
    }
}

bool lane_world::is_owned_by_successor(const outbox::lane& zombie) {
    const auto lanes = operations_->lanes();
    const auto layout = store::layout_of(zombie.name());
    return std::any_of(lanes.begin(), lanes.end(), [&](const auto& row) {
        if (!store::shares_rows(row.lane, zombie.name()) || row.owner.empty()) return false;
        const bool is_sibling =
            row.lane != zombie.name() && std::find(layout.begin(), layout.end(), row.lane) != layout.end();
        return !is_sibling && row.owner != zombie.owner() && row.expires_at > clock_.now() &&
               row.expires_at - clock_.now() <= 2 * base::from_seconds(settings_.lease_seconds);
    });
}

void lane_world::stop_lane() {
    auto& p = any_post();
    auto& stopped = any_process(p);
    stop(p, stopped->lane);
    stopped = successor_of(p, *stopped);
}

void lane_world::stop(const post& p, outbox::lane& lane) {
    lane.request_stop();
    tell(lane.name() + " stops");
    for (int turns = 0; turns < 200; ++turns) {
        const auto next = lane.turn();
        if (!next) continue;
        if (std::holds_alternative<outbox::action::stop>(*next)) return;
        clock_.advance_to(std::get<outbox::action::sleep>(*next).until);
    }
    complain("P11: the lane to " + p.broker + " did not stop");
}

/// All processes start again with another number of shards. Those that crash or freeze leave leases behind, which the
/// new ones must wait for.
void lane_world::change_shards() {
    auto& p = any_post();
    for (auto& each : p.now) {
        const auto end = below(3);
        if (end == 0) stop(p, each->lane);
        if (end == 1) p.frozen.push_back(std::move(each));
    }
    p.now = new_processes(p);
    tell(p.broker + " has " + std::to_string(p.now.size()) + " lanes");
}

void lane_world::operator_retry() {
    auto& p = any_post();
    const bool everything = below(2) == 0;
    const auto one = everything || events_.empty() ? std::string{} : any_message();
    for (const auto& row : rows_of(p.broker)) {
        if (row.status == store::row_status::abandoned && (one.empty() || row.message_id == one)) {
            p.reopened.insert(row.message_id);
        }
    }
    const auto count = operations_->retry({.target_broker = p.broker, .message_id = one, .limit = every_row});
    tell("operator retries " + std::to_string(count) + " of " + p.broker);
}

void lane_world::operator_backfills() {
    if (!west_has_joined_) {
        if (below(4) == 0) west_joins();
        return;
    }
    backfill_rests_ = !backfill_rests_;
    const auto state = backfill_rests_ ? store::backfill_state::paused : store::backfill_state::running;
    if (backfills_->change("west", state, std::nullopt, clock_.now())) {
        tell(std::string{"operator lets the backfill be "} + store::to_string(state));
    }
}

void lane_world::west_joins() {
    west_has_joined_ = true;
    static_cast<void>(backfills_->begin(
        {.broker = "west", .types = {published_type}, .rate = below(2) == 0 ? 0.0 : 0.5}, clock_.now()));
    tell("west joins");
}

void lane_world::operator_discard() {
    if (events_.empty()) return;
    auto& p = any_post();
    const auto one = any_message();
    const auto count = operations_->discard({.target_broker = p.broker, .message_id = one, .limit = every_row},
                                            "not wanted", clock_.now());
    if (count > 0) p.discarded.insert(one);
    tell("operator discards " + one + " of " + p.broker + ": " + std::to_string(count));
}

void lane_world::come_to_rest() {
    faults_.chance = 0;
    if (parts_.network != nullptr) parts_.network->calm();
    for (auto& p : posts_) {
        p.script->set_unreachable(false);
        p.script->lose_confirmation_of(0);
        p.frozen.clear();
    }
    if (!west_has_joined_) west_joins();
    static_cast<void>(backfills_->change("west", store::backfill_state::running, 0.0, clock_.now()));
    tell("all trouble ends");
    constexpr int patience = 20'000;
    constexpr auto longest = 90s;
    const auto give_up_at = clock_.monotonic_now() + longest;
    for (int round = 0; round < patience; ++round) {
        if (clock_.flows() && clock_.monotonic_now() > give_up_at) break;
        bool all_rest = true;
        auto wake = instant::max();
        for (auto& p : posts_) {
            for (const auto& each : p.now) {
                const auto until = turn_to_rest(each->lane);
                if (until) each->lane.signal().drain();
                all_rest = all_rest && until;
                wake = std::min(wake, until.value_or(wake));
            }
        }
        if (!all_rest) continue;
        if (is_all_done()) return;
        clock_.advance_to(wake);
    }
    complain("P12: the lanes did not finish");
}

/// As on a thread of its own: where time flows, a lane that had one turn a round would be busy with its short lease
/// alone.
std::optional<instant> lane_world::turn_to_rest(outbox::lane& lane) {
    constexpr int most = 20;
    for (int turns = 0; turns < most; ++turns) {
        if (const auto until = turn(lane)) return until;
    }
    return std::nullopt;
}

bool lane_world::is_all_done() {
    const auto backfills = backfills_->list("west", 1);
    if (!backfills.empty() && store::holds_back(backfills.front().state)) return false;
    const auto brokers = operations_->outbox_summary();
    return std::none_of(brokers.begin(), brokers.end(), [](const auto& broker) {
        const auto& counts = broker.second.by_status;
        return std::any_of(counts.begin(), counts.end(),
                           [](const auto& count) { return store::is_open(count.first) && count.second > 0; });
    });
}

void lane_world::check_at_rest() {
    check_rows();
    check_atomic();
    for (const auto& p : posts_) {
        check_order(p);
        check_nothing_lost(p);
        check_only_what_belongs(p);
    }
}

/// Published only after the broker took it; given up only after the broker refused it or an operator discarded it.
void lane_world::check_rows() {
    for (const auto& p : posts_) {
        const auto taken = taken_by(p);
        for (const auto& row : rows_of(p.broker)) {
            if (row.status == store::row_status::published && !taken.contains(row.message_id)) {
                complain("P4: " + row.message_id + " is published, but " + p.broker + " never took it");
            }
            const bool was_refused = p.may_be_refused.contains(row.message_id);
            if (row.status == store::row_status::abandoned && !was_refused && !p.discarded.contains(row.message_id)) {
                complain("P5: " + row.message_id + " was given up for " + p.broker + " without a refusal");
            }
            if (row.retry_count > 0 && !was_refused) {
                complain("P5: " + row.message_id + " lost an attempt for " + p.broker + " without a refusal");
            }
            if (row.retry_count > settings_.retry.max_attempts) {
                complain("P5: " + row.message_id + " was refused more often than its budget allows");
            }
        }
    }
}

/// State, events and rows are those of the commits that took effect, no less and no more.
void lane_world::check_atomic() {
    const auto eye = parts_.database->open_unit();
    for (std::size_t aggregate = 0; aggregate < versions_.size(); ++aggregate) {
        const auto found = eye->load(aggregate_name, std::to_string(aggregate));
        const auto version = found ? found->version + 1 : 0;
        if (version == versions_.at(aggregate)) continue;
        complain("P1: aggregate " + std::to_string(aggregate) + " is at version " + std::to_string(version) + ", not " +
                 std::to_string(versions_.at(aggregate)));
    }
    for (const auto& event : events_) {
        if (!operations_->event(event.message_id)) complain("P1: " + event.message_id + " is not in the log");
    }
    const bool rows_may_be_purged = settings_.cleanup.published_retention_hours < 1;
    for (const auto& p : posts_) {
        std::multiset<std::string> there;
        for (const auto& row : rows_of(p.broker)) there.insert(row.message_id);
        for (const auto& event : events_) {
            const auto count = there.erase(event.message_id);
            const std::size_t expected = is_for(event, p) ? 1 : 0;
            if (count == expected || (count == 0 && rows_may_be_purged)) continue;
            complain("P1: " + event.message_id + " has " + std::to_string(count) + " rows for " + p.broker);
        }
        for (const auto& id : there) complain("P1: " + id + " has a row for " + p.broker + " and was never committed");
    }
}

/// Commit order within an aggregate, and each message once: all brokers here recognise what they have.
void lane_world::check_order(const post& p) {
    std::map<std::string, const committed_event*> by_id;
    for (const auto& event : events_) by_id[event.message_id] = &event;
    std::map<int, int> last;
    std::set<std::string> seen;
    for (const auto& id : kept_by(p)) {
        const bool reopened = p.reopened.contains(id);
        if (!seen.insert(id).second) {
            // Discarded after the broker took it without being heard, then wanted again: nobody can know.
            if (!reopened || !p.discarded.contains(id)) complain("P6: " + p.broker + " has " + id + " twice");
            continue;
        }
        const auto found = by_id.find(id);
        if (reopened || found == by_id.end()) continue;
        const auto& event = *found->second;
        auto& newest = last[event.aggregate];
        if (event.number < newest) {
            complain("P3: " + p.broker + " got " + id + " after number " + std::to_string(newest));
        }
        newest = std::max(newest, event.number);
    }
}

void lane_world::check_nothing_lost(const post& p) {
    const auto taken = taken_by(p);
    std::map<std::string, store::row_status> statuses;
    for (const auto& row : rows_of(p.broker)) statuses[row.message_id] = row.status;
    for (const auto& event : events_) {
        if (!is_for(event, p) || taken.contains(event.message_id)) continue;
        const auto status = statuses.find(event.message_id);
        if (status == statuses.end() || status->second != store::row_status::abandoned) {
            complain("P4: " + event.message_id + " never reached " + p.broker);
        }
    }
}

void lane_world::check_only_what_belongs(const post& p) {
    std::set<std::string> expected;
    for (const auto& event : events_) {
        if (is_for(event, p)) expected.insert(event.message_id);
    }
    for (const auto& id : taken_by(p)) {
        if (!expected.contains(id)) complain("P8: " + id + " must not reach " + p.broker);
    }
}

std::string lane_world::any_message() {
    constexpr std::size_t recent = 12;  // trouble is where the work is
    const auto from = events_.size() > recent ? events_.size() - recent : 0;
    return events_[from + below(events_.size() - from)].message_id;
}

std::vector<std::unique_ptr<lane_world::process>> lane_world::new_processes(const post& p) {
    auto engines = 1 + below(2);
    const int shards = static_cast<int>(engines + below(3));
    std::vector<std::unique_ptr<process>> all;
    for (; engines > 0; --engines) {
        const auto owner = new_owner();
        for (int number = 1; number <= shards; ++number) all.push_back(new_process(p, {number, shards}, owner));
    }
    return all;
}

std::unique_ptr<lane_world::process> lane_world::successor_of(const post& p, const process& former) {
    return new_process(p, store::shard_of(former.lane.name()), new_owner());
}

std::unique_ptr<lane_world::process> lane_world::new_process(const post& p, store::shard part, std::string owner) {
    outbox::lane_settings settings;
    settings.database = "default";
    settings.broker = p.broker;
    settings.external = p.broker != "default";
    settings.part = part;
    settings.owner = std::move(owner);
    settings.outbox = settings_;
    settings.overlapping = overlapping_;
    if (clock_.flows()) settings.drain = 500ms;
    const bool near = parts_.network == nullptr;
    return std::make_unique<process>(
        near ? parts_.database : parts_.network->connect_database(), faults_,
        scripted_broker{near ? parts_.brokers.at(p.broker) : parts_.network->connect_broker(p.broker), p.script},
        settings, *this);
}

std::vector<store::outbox_row> lane_world::rows_of(const std::string& target_broker) {
    return operations_->list({.target_broker = target_broker, .limit = every_row});
}

std::vector<std::string> lane_world::kept_by(const post& p) const {
    return parts_.network != nullptr ? parts_.network->kept(p.broker, category) : p.script->accepted_ids(category);
}

std::set<std::string> lane_world::taken_by(const post& p) const {
    const auto ids = kept_by(p);
    return {ids.begin(), ids.end()};
}

bool lane_world::is_for(const committed_event& event, const post& p) const {
    return event.published || p.broker == "default";
}

}  // namespace sluice::testing
