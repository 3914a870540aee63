#include "property/lane_world.hpp"

#include <algorithm>
#include <chrono>
#include <iterator>

namespace sluice::testing {

namespace {

using namespace std::chrono_literals;

constexpr auto category = "shop::order";
constexpr std::size_t every_row = 1'000'000;

std::string stream_of(int aggregate) { return std::string{category} + "-" + std::to_string(aggregate); }

bool same(const store::outbox_row& a, const store::outbox_row& b) {
    return a.seq == b.seq && a.status == b.status && a.retry_count == b.retry_count && a.receipt == b.receipt &&
           a.last_error == b.last_error && a.next_retry_at == b.next_retry_at;
}

}  // namespace

lane_world::lane_world(std::uint64_t seed, world_parts parts)
    : random_{seed},
      faults_{.chance = 0, .random = &random_},
      parts_{std::move(parts)},
      flaky_{*parts_.database, faults_},
      unit_{parts_.database->open_unit()},
      operations_{parts_.database->open_operations()},
      overlapping_{below(2) == 0 ? outbox::overlap::none : outbox::overlap::deferred} {
    settings_.messages_per_tick = 1 + below(6);
    settings_.retry.max_attempts = 1 + static_cast<int>(below(4));
    settings_.retry.base_delay_seconds = below(2) == 0 ? 0 : 5;
    settings_.tick_interval = 60;
    settings_.lease_seconds = 90;
    settings_.cleanup.interval_seconds = 30;
    settings_.cleanup.batch_size = 3;
    settings_.cleanup.published_retention_hours = below(2) == 0 ? 0.01 : 168;
    if (below(2) == 0) faults_.chance = 0.03;

    for (const auto& [name, behind] : parts_.brokers) {
        post p{.broker = name, .script = std::make_shared<broker_script>(), .lane = nullptr, .frozen = {}};
        scripted_.emplace(name, std::make_unique<scripted_broker>(behind, p.script));
        p.lane = new_lane(p);
        posts_.push_back(std::move(p));
    }
}

void lane_world::live(int steps) {
    for (int i = 0; i < steps; ++i) {
        switch (below(24)) {
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
            default:
                turn_some();
                break;
        }
    }
}

void lane_world::commit_some() {
    store::commit_batch batch;
    batch.at = clock_.now();
    for (auto count = 1 + below(4); count > 0; --count) {
        const auto aggregate = below(numbers_.size());
        const int number = ++numbers_.at(aggregate);
        const auto stream = stream_of(static_cast<int>(aggregate));
        const committed_event event{stream + "-" + std::to_string(number), static_cast<int>(aggregate), number,
                                    below(3) != 0};
        store::event_write write;
        write.event = {event.message_id, stream, category, "Shop.OrderChanged.v1", "{}", R"({"x":1})", batch.at};
        write.target_brokers = {"default"};
        if (event.published) write.target_brokers.insert(write.target_brokers.end(), {"east", "west"});
        batch.events.push_back(std::move(write));
        events_.push_back(event);
        tell("commit " + event.message_id + (event.published ? " published" : ""));
    }
    unit_->commit(batch);
}

void lane_world::turn_some() {
    auto& p = any_post();
    for (auto turns = 1 + below(10); turns > 0; --turns) turn(*p.lane);
}

std::optional<date_time> lane_world::turn(outbox::lane& lane) {
    const auto next = lane.turn();
    tell(lane.name() + " " + outbox::to_string(lane.state()) + (next ? " rests " + std::to_string(next->index()) : ""));
    if (!next) return std::nullopt;
    const auto* const nap = std::get_if<outbox::action::sleep>(&*next);
    return nap != nullptr ? std::optional{nap->until} : std::nullopt;
}

void lane_world::pass_time() {
    const auto longest = below(3) == 0 ? 200'000'000U : 3'000'000U;
    clock_.advance(duration{static_cast<std::int64_t>(below(longest))});
    tell("time " + clock_.now().to_string());
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
    auto& p = any_post();
    p.script->lose_confirmation_of(1 + static_cast<int>(below(3)));
    tell(p.broker + " loses confirmations");
}

/// Gone without a word: the lease stays until it expires.
void lane_world::crash_lane() {
    auto& p = any_post();
    p.lane = new_lane(p);
    tell(p.broker + " lane crashes");
}

void lane_world::freeze_lane() {
    auto& p = any_post();
    p.frozen.push_back(std::move(p.lane));
    p.lane = new_lane(p);
    tell(p.broker + " lane freezes");
}

/// An owner that comes back to life after somebody else took its lease must not change a row.
void lane_world::turn_frozen() {
    auto& p = any_post();
    if (p.frozen.empty()) return;
    auto& zombie = *p.frozen[below(p.frozen.size())];
    const auto is_owned_by_successor = [&] {
        const auto lanes = operations_->lanes();
        const auto row =
            std::find_if(lanes.begin(), lanes.end(), [&](const auto& status) { return status.lane == zombie.name(); });
        return row != lanes.end() && row->owner == p.lane->owner() && row->expires_at > clock_.now();
    };
    const bool fenced = is_owned_by_successor();
    const auto before = rows_of(p.broker);
    tell(p.broker + " frozen lane moves" + (fenced ? " behind its successor" : ""));
    for (auto turns = 1 + below(6); turns > 0; --turns) turn(zombie);
    if (!fenced) return;
    const auto after = rows_of(p.broker);
    if (!std::equal(before.begin(), before.end(), after.begin(), after.end(), same)) {
        complain("P7: a lane without lease changed rows of " + p.broker);
    }
}

void lane_world::stop_lane() {
    auto& p = any_post();
    p.lane->request_stop();
    tell(p.broker + " lane stops");
    for (int turns = 0; turns < 200; ++turns) {
        const auto next = p.lane->turn();
        if (!next) continue;
        if (std::holds_alternative<outbox::action::stop>(*next)) {
            p.lane = new_lane(p);
            return;
        }
        clock_.advance_to(std::get<outbox::action::sleep>(*next).until);
    }
    complain("P11: the lane to " + p.broker + " did not stop");
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
    for (auto& p : posts_) {
        p.script->set_unreachable(false);
        p.script->lose_confirmation_of(0);
        p.frozen.clear();
    }
    tell("all trouble ends");
    constexpr int patience = 20'000;
    for (int round = 0; round < patience; ++round) {
        std::optional<date_time> wake;
        for (auto& p : posts_) {
            const auto until = turn(*p.lane);
            if (until) p.lane->signal().drain();
            if (!until) {
                wake = clock_.now();
            } else {
                wake = wake ? std::min(*wake, *until) : *until;
            }
        }
        if (wake && *wake > clock_.now()) {
            const auto brokers = operations_->outbox_summary();
            const bool all_done = std::none_of(brokers.begin(), brokers.end(), [](const auto& broker) {
                const auto& counts = broker.second.by_status;
                return std::any_of(counts.begin(), counts.end(),
                                   [](const auto& count) { return store::is_open(count.first) && count.second > 0; });
            });
            if (all_done) return;
            clock_.advance_to(*wake);
        }
    }
    complain("P12: the lanes did not finish");
}

void lane_world::check_at_rest() {
    check_rows();
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

void lane_world::check_order(const post& p) {
    std::map<std::string, const committed_event*> by_id;
    for (const auto& event : events_) by_id[event.message_id] = &event;
    std::map<int, int> last;
    for (const auto& id : p.script->accepted_ids(category)) {
        if (p.reopened.contains(id)) continue;
        const auto& event = *by_id.at(id);
        auto& newest = last[event.aggregate];
        if (event.number <= newest) {
            complain("P3: " + p.broker + " got " + id + " after number " + std::to_string(newest));
        }
        newest = event.number;
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

std::unique_ptr<outbox::lane> lane_world::new_lane(const post& p) {
    outbox::lane_settings settings;
    settings.database = "default";
    settings.broker = p.broker;
    settings.external = p.broker != "default";
    settings.owner = "owner-" + std::to_string(++lanes_made_);
    settings.outbox = settings_;
    settings.overlapping = overlapping_;
    return std::make_unique<outbox::lane>(
        settings, outbox::lane_ports{flaky_, *scripted_.at(p.broker), clock_, random_, tracer_});
}

std::vector<store::outbox_row> lane_world::rows_of(const std::string& target_broker) {
    return operations_->list({.target_broker = target_broker, .limit = every_row});
}

std::set<std::string> lane_world::taken_by(const post& p) const {
    const auto ids = p.script->accepted_ids(category);
    return {ids.begin(), ids.end()};
}

bool lane_world::is_for(const committed_event& event, const post& p) const {
    return event.published || p.broker == "default";
}

}  // namespace sluice::testing
