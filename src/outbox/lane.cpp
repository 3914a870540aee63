#include "outbox/lane.hpp"

#include <algorithm>
#include <chrono>
#include <exception>
#include <type_traits>
#include <utility>
#include <variant>

#include <sluice/error.hpp>

#include "base/one_line.hpp"
#include "base/seconds.hpp"
#include "envelope/envelope.hpp"
#include "observe/log.hpp"
#include "outbox/batch_spans.hpp"
#include "outbox/traced_row.hpp"
#include "store/lane_name.hpp"

namespace sluice::outbox {

namespace {

/// For confirmations that are on their way when the lane is to stop.
constexpr duration last_patience = std::chrono::seconds{1};

std::vector<store::settlement> settlements_of(std::span<const row_outcome> outcomes) {
    std::vector<store::settlement> settlements;
    settlements.reserve(outcomes.size());
    for (const auto& outcome : outcomes) settlements.push_back(outcome.settlement);
    return settlements;
}

/// What holds for the lane of one broker.
config::outbox_settings own_settings(const lane_settings& lane) {
    config::outbox_settings own = lane.outbox;
    own.retry = own.retry_of(lane.broker);
    return own;
}

/// Its share of what may go to the broker.
double own_rate(const lane_settings& lane) {
    return lane.outbox.lane_of(lane.broker).rate_limit / std::max(lane.part.count, 1);
}

/// Names the older versions that left together with an event.
void name_versions(json::object& record, const message_metadata& of) {
    const json::value* const older = of.extensions.find(envelope::older_versions_key);
    if (older == nullptr) return;
    json::array versions;
    for (const auto& [version, payload] : older->as_object()) versions.emplace_back(version);
    record.set("also_published", std::move(versions));
}

}  // namespace

lane::lane(lane_settings settings, const lane_ports& ports)
    : settings_{std::move(settings)},
      ports_{ports},
      name_{store::make_lane_name(settings_.database, settings_.broker, settings_.part)},
      rules_{settings_.external
                 ? dispatch_rules::external(settings_.outbox.lane_of(settings_.broker))
                 : dispatch_rules::internal(settings_.outbox.lane_of(settings_.broker), settings_.priority_lanes)},
      plan_{own_settings(settings_), settings_.drain, settings_.overlapping != overlap::none, ports_.random,
            own_rate(settings_)},
      in_step_since_{ports.time.monotonic_now().time_since_epoch().count()} {}

void lane::run(const std::stop_token& stop) {
    const std::stop_callback wake{stop, [this] {
                                      hurry_publisher();
                                      signal_.notify();
                                  }};
    for (;;) {
        if (stop.stop_requested()) request_stop();
        const auto end = turn();
        if (!end) continue;
        const auto* const nap = std::get_if<action::sleep>(&*end);
        if (nap == nullptr) return;
        sleep(*nap);
    }
}

void lane::request_stop() { plan_.stop_requested(now()); }

std::optional<lane_action> lane::turn() {
    in_step_since_ = ports_.time.monotonic_now().time_since_epoch().count();
    const auto before = plan_.state();
    auto next = plan_.next(now());
    const auto done = std::visit(
        [this](const auto& step) {
            using step_type = std::decay_t<decltype(step)>;
            if constexpr (std::is_same_v<step_type, action::sleep> || std::is_same_v<step_type, action::stop>) {
                return false;
            } else {
                try {
                    perform(step);
                } catch (const std::exception& problem) {
                    store_trouble(problem.what());
                }
                return true;
            }
        },
        next);
    log_change(before);
    if (done) return std::nullopt;
    return next;
}

void lane::perform(const action::acquire& /*step*/) {
    const auto asked = now();
    auto grant = session().lease->acquire(name_, settings_.owner, asked.wall, plan_.lease().ttl());
    log_obstacle(grant.obstacle());
    if (!grant) return plan_.not_acquired(grant.obstacle(), now());
    const auto who = ports_.database.history();
    producer_ = {.name = who.identity + "/" + name_,
                 .epoch = grant->epoch,
                 .former = {},
                 .owner = settings_.owner,
                 .place = who.place,
                 .timeline = who.timeline};
    for (const auto& name : grant->former) producer_.former.push_back(who.identity + "/" + name);
    forget_publisher();
    log_history(*grant);
    observe::log(
        observe::level::info, "lane.acquired",
        {{"lane", name_}, {"owner", settings_.owner}, {"epoch", grant->epoch}, {"fenced", ports_.broker.can().fences}});
    auto pause = operator_pause();
    plan_.acquired(std::move(*grant), asked);
    plan_.set_operator_pause(std::move(pause), now());
}

void lane::perform(const action::renew& /*step*/) {
    const auto at = now();
    const bool ours = session().lease->renew(plan_.grant(), plan_.report(at), at.wall, plan_.lease().ttl());
    auto pause = ours ? operator_pause() : std::nullopt;
    plan_.renewed(ours, at);
    plan_.set_operator_pause(std::move(pause), now());
    explain_loss();
}

void lane::perform(const action::stand_by& /*step*/) {
    const auto at = now();
    session().lease->stand_by(name_, settings_.owner, at.wall, plan_.lease().ttl());
    plan_.stands_by(at);
}

void lane::perform(const action::withdraw& /*step*/) {
    session().lease->withdraw(name_, settings_.owner);
    plan_.withdrawn();
}

void lane::perform(const action::balance& /*step*/) {
    plan_.balanced(session().lease->choose_heir(plan_.grant(), now().wall, plan_.lease().ttl()));
}

std::optional<std::string> lane::operator_pause() {
    const auto pause = session().lease->pause_of(settings_.broker);
    return pause ? std::optional{base::one_line(store::describe(*pause))} : std::nullopt;
}

void lane::perform(const action::fetch& step) {
    const auto before = plan_.overtaken();
    plan_.fetched(session().rows->due(plan_.grant(), settings_.broker, step.after, {step.limit, step.bytes}), now());
    explain_loss();
    const auto meter = ports_.tracer.counts();
    if (meter == nullptr || plan_.overtaken() <= before) return;
    meter->count(observe::settled_rows{.database = settings_.database,
                                       .broker = settings_.broker,
                                       .overtaken = static_cast<std::size_t>(plan_.overtaken() - before)});
}

void lane::perform(const action::catch_up& step) {
    auto batch = session().rows->due_in_stream(plan_.grant(), settings_.broker, step.stream, step.after, step.upto,
                                               {step.limit, step.bytes});
    plan_.caught_up(step.stream, std::move(batch), now());
    explain_loss();
}

void lane::perform(const action::backfill& step) {
    const auto at = now();
    plan_.backfilled(session().rows->give_backfill(plan_.grant(), settings_.broker, at.wall, step.limit), at);
    explain_loss();
}

void lane::perform(const action::publish& step) {
    const auto policy =
        step.overlap && settings_.overlapping == overlap::threaded ? std::launch::async : std::launch::deferred;
    producer_.settled_upto = plan_.settled_upto();
    producer_.unsettled_batches = std::exchange(unsettled_batches_, unsettled_batches_ + 1);
    in_flight_ = std::async(policy, [this, from = producer_, log = observe::log_route_of_this_thread()] {
        const observe::log_scope scope{log};
        batch_spans spans{ports_.tracer, {name_, settings_.owner, settings_.system, rules_}, plan_.in_flight()};
        auto verdicts = dispatch(plan_.in_flight(), rules_, publisher(), from, plan_.lease().publish_timeout());
        spans.answered(verdicts);
        return verdicts;
    });
    if (!step.overlap) perform(action::collect{});
}

void lane::perform(const action::collect& /*step*/) {
    std::vector<broker::verdict> verdicts;
    try {
        if (in_flight_.valid()) verdicts = in_flight_.get();
    } catch (const std::exception& problem) {
        verdicts.assign(plan_.in_flight().size(), broker::unreachable{problem.what()});
    }
    plan_.published(verdicts, now());
    if (plan_.is_paused()) answer_rival();
}

void lane::perform(const action::settle& step) {
    const auto settlements = settlements_of(plan_.unsettled());
    const auto outcome = session().rows->settle(plan_.grant(), settings_.broker, settlements, step.mark);
    const auto outcomes = plan_.settled(outcome, now());
    unsettled_batches_ = plan_.is_flying() ? 1 : 0;
    explain_loss();
    count(outcomes);
    trace(outcomes);
}

void lane::perform(const action::probe& /*step*/) {
    std::string trouble;
    probing_ = true;
    try {
        trouble = publisher().probe(plan_.lease().publish_timeout());
    } catch (const std::exception& problem) {
        trouble = problem.what();
    }
    probing_ = false;
    plan_.probed(trouble, now());
    if (!trouble.empty()) answer_rival();
}

void lane::perform(const action::purge& step) {
    plan_.purged(session().rows->purge(plan_.grant(), settings_.broker, step.published_before, step.abandoned_before,
                                       step.limit),
                 now());
}

void lane::perform(const action::release& /*step*/) {
    auto farewell = plan_.farewell(now());
    session().lease->release(plan_.grant(), farewell);
    plan_.released(now());
    if (plan_.has_handed_over()) forget_publisher();
    observe::log(observe::level::info, "lane.released", {{"lane", name_}, {"reason", std::move(farewell.detail)}});
}

/// A broken session cannot wake anybody; a paused lane does not care for rows.
void lane::sleep(const action::sleep& nap) {
    const auto timeout = std::max(nap.until - now().steady, duration{0});
    in_step_since_ = (now().steady + timeout).time_since_epoch().count();
    try {
        const auto reason = nap.rows_wake && session_ ? session_.rows->wait(signal_, timeout)
                                                      : base::wait_any(signal_, nullptr, timeout);
        if (reason != base::wake_reason::timed_out) plan_.woken();
    } catch (const std::exception& problem) {
        store_trouble(problem.what());
    }
}

store::lane_session& lane::session() {
    if (!session_) session_ = ports_.database.open_lane();
    return session_;
}

broker::publisher& lane::publisher() {
    const std::lock_guard lock{publisher_mutex_};
    if (publisher_ == nullptr) {
        publisher_ = ports_.broker.open_publisher();
        if (in_a_hurry_) publisher_->hurry(last_patience);
    }
    return *publisher_;
}

/// What it remembers belongs to the owner that the lane was: a new one asks the broker what it has.
void lane::forget_publisher() {
    const std::lock_guard lock{publisher_mutex_};
    publisher_.reset();
}

/// A lease that ended because the database has another history was taken by nobody.
void lane::explain_loss() {
    if (plan_.is_owner() || !session_) return;
    const auto why = session_.lease->lost_history();
    if (why.empty()) return;
    plan_.explain_loss("the database has another history: " + why);
    observe::log(observe::level::warn, "lane.lost_history", {{"lane", name_}, {"difference", why}});
}

void lane::log_history(const store::lease_grant& grant) const {
    if (grant.other_history.empty()) return;
    observe::log(observe::level::warn, "lane.other_history",
                 {{"lane", name_},
                  {"difference", grant.other_history},
                  {"begins_at", grant.mark},
                  {"open_below_mark", grant.reopened},
                  {"remedy",
                   "nothing, unless the database was restored, or a failover lost commits: then run `sluice db "
                   "adopt`; in a copy, `sluice db adopt --copy`"}});
}

/// The broker knows a later owner. Either this process was frozen and its lease has been taken; or the lease is ours,
/// and the history in which it had that later owner is lost. When it was lost in one place, on no later timeline,
/// nobody can be alive there but this lane, and the database begins a new incarnation. Otherwise that owner may belong
/// to a database that lives on, and a person has to say which of them is the copy: the lane waits and tells what to do.
void lane::answer_rival() {
    const auto rival = publisher().rival();
    if (!rival || !plan_.is_owner()) return;
    const auto at = now();
    if (!session().lease->renew(plan_.grant(), plan_.report(at), at.wall, plan_.lease().ttl())) {
        plan_.renewed(false, at);
        return explain_loss();
    }
    const bool same_place = !rival->place.empty() && rival->place == producer_.place;
    std::string refusal =
        same_place && rival->timeline <= producer_.timeline ? "" : "it may belong to a database that lives on";
    store::adopted done;
    if (refusal.empty()) {
        done = ports_.database.adopt({.above = rival->epoch, .by_itself = true});
        refusal = done.refusal;
    }
    if (!refusal.empty()) {
        if (std::exchange(told_rival_, rival->epoch) != rival->epoch) {
            observe::log(observe::level::error, "lane.rival",
                         {{"lane", name_},
                          {"epoch", producer_.epoch},
                          {"epoch_at_broker", rival->epoch},
                          {"not_adopted", refusal},
                          {"remedy", "sluice db adopt, or, in a copy of a database, sluice db adopt --copy"}});
        }
        return;
    }
    observe::log(observe::level::warn, "database.adopted",
                 {{"database", settings_.database},
                  {"reason", "the broker knows a later owner of lane " + name_ + " than the database"},
                  {"incarnation", done.incarnation},
                  {"open_below_mark", done.reopened}});
    plan_.renewed(false, at);
    plan_.explain_loss("the database has begun a new incarnation");
}

/// A probe that is given up costs nothing.
void lane::hurry_publisher() noexcept {
    const std::lock_guard lock{publisher_mutex_};
    in_a_hurry_ = true;
    if (publisher_ != nullptr) publisher_->hurry(probing_ ? duration{0} : last_patience);
}

void lane::store_trouble(std::string_view what) {
    session_ = {};
    plan_.store_failed(now());
    observe::log(observe::level::warn, "lane.store_trouble", {{"lane", name_}, {"error", base::one_line(what)}});
}

/// Pauses, blocks and losses are news; flowing and idle are everyday.
void lane::log_change(lane_state before) const {
    const auto after = plan_.state();
    if (after == before) return;
    const auto tell = [&](observe::level lv) {
        observe::log(lv, std::string{"lane."} + to_string(after),
                     {{"lane", name_}, {"was", to_string(before)}, {"detail", plan_.report(now()).detail}});
    };
    const bool is_lost = after == lane_state::lost && !plan_.has_handed_over();
    if (after == lane_state::paused || is_lost) {
        tell(observe::level::warn);
    } else if (before == lane_state::paused && after != lane_state::draining) {
        observe::log(observe::level::info, "lane.recovered", {{"lane", name_}, {"state", to_string(after)}});
    } else if (before == lane_state::paused || after == lane_state::draining) {
        tell(observe::level::info);
    } else {
        tell(observe::level::debug);
    }
}

/// Asked for every second, told when it is another one.
void lane::log_obstacle(const std::string& obstacle) {
    if (std::exchange(obstacle_, obstacle) == obstacle || obstacle.empty()) return;
    observe::log(observe::level::info, "lane.waiting", {{"lane", name_}, {"reason", base::one_line(obstacle)}});
}

void lane::count(const std::vector<row_outcome>& outcomes) const {
    const auto meter = ports_.tracer.counts();
    if (meter == nullptr || outcomes.empty()) return;
    observe::settled_rows rows{.database = settings_.database, .broker = settings_.broker};
    std::vector<double> latencies;
    latencies.reserve(outcomes.size());
    for (const row_outcome& each : outcomes) {
        const store::row_status status = each.settlement.status;
        rows.published += status == store::row_status::published ? 1 : 0;
        rows.failed += status == store::row_status::failed ? 1 : 0;
        rows.abandoned += status == store::row_status::abandoned ? 1 : 0;
        if (const auto took = each.latency()) latencies.push_back(base::seconds(*took));
    }
    rows.latencies = latencies;
    const observe::span_source* const spans = ports_.tracer.spans();
    const auto traced = spans != nullptr ? slowest_traced(outcomes, *spans) : std::nullopt;
    if (traced) {
        rows.example = observe::exemplar{.trace_id = traced->trace.trace_id,
                                         .span_id = traced->trace.parent_id,
                                         .value = traced->latency,
                                         .at = traced->at};
    }
    meter->count(rows);
}

void lane::trace(const std::vector<row_outcome>& outcomes) const {
    const bool successes_wanted = ports_.tracer.wanted();
    for (const auto& [event, settlement, reason] : outcomes) {
        const bool published = settlement.status == store::row_status::published;
        if (published && !successes_wanted) continue;
        trace_event record;
        record.event =
            std::string{"outbox."} + (settings_.external ? "external_" : "") + (published ? "published" : "failed");
        record.stream = event.stream;
        record.message_id = event.message_id;
        record.message_type = event.type;
        record.status = published ? "ok" : "error";
        record.error = reason;
        if (!published) record.metadata.set("retry_count", settlement.retry_count);
        record.worker_id = settings_.owner;
        record.broker = settings_.broker;
        try {
            const auto metadata = envelope::decode_metadata(json::parse(event.metadata));
            record.correlation_id = metadata.domain.correlation_id;
            record.causation_id = metadata.domain.causation_id;
            record.traceparent = metadata.headers.traceparent;
            if (settings_.external) name_versions(record.metadata, metadata);
        } catch (const error&) {
            // Traced without them.
        }
        ports_.tracer.emit(std::move(record));
    }
}

}  // namespace sluice::outbox
