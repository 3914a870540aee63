#include "consume/subscription.hpp"

#include <algorithm>
#include <cassert>
#include <exception>
#include <type_traits>
#include <utility>

#include "base/one_line.hpp"
#include "commit/message_identity.hpp"
#include "envelope/format.hpp"
#include "envelope/header_rules.hpp"
#include "lease/owner.hpp"
#include "observe/log.hpp"

namespace sluice::consume {

namespace {

constexpr base::backoff reconnect{};  // 1, 2, 4 … 30 seconds

plan_settings plan_settings_from(const route& where) {
    const config::subscription_settings& s = where.settings;
    plan_settings result;
    result.sources = where.streams.size();
    result.primaries = where.primaries;
    result.keys_span_sources = where.sequential.has_value();
    result.hands = std::max<std::size_t>(s.concurrency, 1);
    result.together = where.joins && !where.sequential ? std::max<std::size_t>(s.messages_per_transaction, 1) : 1;
    result.read_limit = s.messages_per_tick;
    result.read_bytes = s.bytes_per_tick;
    result.max_held = s.max_held;
    result.max_held_bytes = s.max_held_bytes;
    result.max_attempts = s.max_retries;
    result.retry.first = base::from_seconds(s.retry_delay_seconds);
    result.retry.most = base::from_seconds(s.max_retry_delay_seconds);
    result.claim = base::from_seconds(s.claim_seconds);
    result.breaker_threshold = s.circuit_breaker_threshold;
    result.breaker_reset = base::from_seconds(s.circuit_breaker_reset_seconds);
    return result;
}

}  // namespace

subscription::subscription(commit::environment& env, route what, std::string consumer, broker::incarnation process)
    : env_{env},
      route_{std::move(what)},
      member_{.group = route_.group,
              .consumer = consumer,
              .claim = base::from_seconds(route_.settings.claim_seconds),
              .process = std::move(process),
              .page_bytes = route_.settings.bytes_per_tick,
              .former_group = route_.former_group,
              .domain = env.domain().normalized,
              .from = route_.from},
      broker_{env.broker(route_.broker)},
      trace_{env.tracer(), route_, std::move(consumer), env.system_of(route_.broker)},
      plan_{plan_settings_from(route_)} {
    status_.state = "stopped";
    if (!route_.sequential) return;
    lease_ = std::make_unique<lease::sequence_lease>(env.sessions("default").database(), route_.sequential->lease,
                                                     lease::make_lane_owner(env.random()),
                                                     base::from_seconds(env.configuration().outbox.lease_seconds));
}

void subscription::run(const std::stop_token& stop) {
    const std::stop_callback wake{stop, [this] { signal_.notify(); }};
    close();
    while (!stop.stop_requested()) {
        const duration quiet = work(stop);
        if (!stop.stop_requested()) wait(quiet);
    }
    finish_in_hand();
    leave();
    close();
    if (lease_) lease_->release(now());
    show("stopped");
}

duration subscription::work(const std::stop_token& stop) {
    try {
        while (!stop.stop_requested()) {
            conclude_finished();
            if (!may_work()) return stand_by();
            open();
            const action next = plan_.next(now());
            if (const auto* quiet = std::get_if<rest>(&next)) return rest_until(*quiet);
            std::visit(
                [this](const auto& act) {
                    if constexpr (!std::is_same_v<std::remove_cvref_t<decltype(act)>, rest>) perform(act);
                },
                next);
        }
        return duration{0};
    } catch (const error& trouble) {
        return disconnected(trouble);
    }
}

duration subscription::rest_until(const rest& quiet) {
    listen_ = quiet.listen;
    switch (plan_.breaker()) {
        case circuit_breaker::state::open:
            show("open");
            break;
        case circuit_breaker::state::half_open:
            show("half_open");
            break;
        case circuit_breaker::state::closed:
            show(plan_.paused(now()) ? "paused" : plan_.in_hand() > 0 ? "working" : "idle");
            break;
    }
    instant until = quiet.until;
    if (lease_) until = std::min(until, lease_->due());
    return until - now().steady;
}

subscription_status subscription::status() const {
    const std::lock_guard lock{mutex_};
    return status_;
}

bool subscription::may_work() {
    if (!lease_) return true;
    const bool ours = lease_->tend(now());
    if (ours != std::exchange(owner_, ours)) {
        observe::log(observe::level::info, ours ? "subscription.took_over" : "subscription.stands_by",
                     {{"handler", route_.name}, {"lease", route_.sequential->lease}});
        // What is in hand is the new owner's now: what it still commits is refused.
        if (!ours) {
            leave();
            close();
        }
    }
    return ours;
}

duration subscription::stand_by() {
    listen_ = false;
    show("standby", lease_->obstacle());
    return lease_->due() - now().steady;
}

command::message_terms subscription::terms_of(const parcel& what) {
    command::message_terms terms{.entry = what.delivery.entry};
    if (lease_) terms.fence = lease_->fence();
    if (keeping_ != nullptr) terms.kept = keeping_->removal_of(what.source, terms.entry);
    terms.unmarked = preview_.take(commit::known_as(*what.content, terms.entry), now().steady);
    return terms;
}

void subscription::run_or_give(std::function<std::vector<handler_pool::finished>()> work) {
    if (pool_) return pool_->give(std::move(work));
    for (const auto& [number, made] : work()) conclude(number, made);
}

void subscription::perform(const handle_parcel& act) {
    show("working");
    handle_alone(act, terms_of(*act.what));
}

void subscription::handle_alone(const handle_parcel& act, const command::message_terms& terms) {
    run_or_give([this, act, terms] {
        return std::vector{
            handler_pool::finished{act.number, try_handler(route_, *act.what, terms, env_.time(), trace_)}};
    });
}

void subscription::perform(const handle_together& act) {
    show("working");
    std::vector<parcel_number> numbers;
    std::vector<handling> all;
    for (const handle_parcel& each : act.parcels) {
        handling one{each.what, terms_of(*each.what)};
        assert(!one.terms.fence);
        if (one.terms.kept) {
            handle_alone(each, one.terms);
            continue;
        }
        numbers.push_back(each.number);
        all.push_back(std::move(one));
    }
    if (all.empty()) return;
    run_or_give([this, numbers = std::move(numbers), all = std::move(all)] {
        std::vector<handler_pool::finished> made;
        for (attempt& each : try_together(env_, route_, all, trace_)) {
            made.push_back({numbers[made.size()], std::move(each)});
        }
        return made;
    });
}

void subscription::perform(const acknowledge& act) {
    std::vector<std::string> entries;
    entries.reserve(act.receipts->size());
    for (const receipt& each : *act.receipts) entries.push_back(each.entry);
    reader_->ack(act.source, entries);
    for (const receipt& each : *act.receipts) trace_.acknowledged(act.source, each);
    plan_.acknowledged(act.source);
}

void subscription::perform(const put_off& act) {
    if (act.hindered) tell_hindered(act.what, act.attempts, act.reason);
    reader_->own_keeper()->defer(act.what.source, act.what.delivery, act.attempts, act.not_before);
    trace_.deferred(act, route_.settings.max_retries);
}

void subscription::perform(const set_aside& act) {
    if (act.hindered) tell_hindered(act.what, act.why.attempts, act.why.reason);
    if (!route_.settings.enable_dlq) return drop(act);
    reader_->own_keeper()->dead_letter(act.what.source, act.what.delivery, act.why);
    trace_.buried(act);
    const std::lock_guard lock{mutex_};
    ++status_.dead;
}

/// Nothing of the message stays but what is told, so it is told first: after a crash in between rather twice than
/// never.
void subscription::drop(const set_aside& act) {
    trace_.dropped(act);
    reader_->ack(act.what.source, {&act.what.delivery.entry, 1});
    const std::lock_guard lock{mutex_};
    ++status_.dropped;
}

void subscription::perform(const read_more& act) {
    std::vector<arrival> arrivals;
    const base::moment begin = now();
    for (broker::delivery& each : reader_->read(act.source, act.limit, begin.wall)) {
        arrivals.push_back(look_at(act.source, std::move(each)));
    }
    if (std::exchange(disconnections_, 0) > 0) {
        observe::log(observe::level::info, "subscription.connected",
                     {{"handler", route_.name}, {"broker", route_.broker}, {"stream", route_.streams[0]}});
    }
    trace_.received(act.source, arrivals, begin);
    look_in_inbox(arrivals);
    plan_.received(act.source, std::move(arrivals), now());
}

void subscription::perform(const breaker_turned& act) {
    trace_.breaker(act, route_.settings.circuit_breaker_threshold);
}

void subscription::perform(const keep_claims&) { reader_->heartbeat(now().wall); }

void subscription::perform(const reopen&) {
    close();
    open();
}

/// Those that come alone are asked for by their handling.
void subscription::look_in_inbox(const std::vector<arrival>& arrivals) {
    if (route_.marked_as.empty()) return;
    std::vector<std::string> ids;
    for (const arrival& each : arrivals) {
        if (!std::holds_alternative<wanted>(each.is)) continue;
        ids.push_back(commit::known_as(*each.what.content, each.what.delivery.entry));
    }
    if (ids.size() < 2) return;
    try {
        auto session = env_.sessions("default").borrow();
        preview_.learn(ids, session->marked_of(ids, route_.marked_as), now().steady);
    } catch (const error& trouble) {
        // Handling meets the same, and knows what it means to a message.
        observe::log(observe::level::debug, "subscription.no_preview",
                     {{"handler", route_.name}, {"reason", base::one_line(trouble.what())}});
    }
}

arrival subscription::look_at(std::size_t source, broker::delivery delivery) const {
    std::optional<message> content;
    try {
        content = env_.format_of(route_.broker).read(delivery.body, delivery.head);
    } catch (const decode_error& e) {
        return {{source, std::move(delivery)}, unusable{base::one_line(e.what()), "undecodable"}};
    }
    // A message that no store can mark as handled would fail for ever.
    if (const std::string problem = envelope::header_problem(*content); !problem.empty()) {
        return {{source, std::move(delivery), std::move(content)}, unusable{base::one_line(problem), "invalid_header"}};
    }
    finding is;
    switch (route_.interest_in(*content)) {
        case interest::wanted:
            is = wanted{key_of(*content, delivery.key)};
            break;
        case interest::unwanted:
            is = unwanted{};
            break;
        case interest::unknown:
            is = unusable{"domain " + env_.domain().name + " has no message type " +
                              base::one_line("\"" + content->type().text() + "\"") +
                              "; declare it, or publish it on a stream that " + route_.name + " does not read",
                          "unknown_type"};
            break;
    }
    return {{source, std::move(delivery), std::move(content)}, std::move(is)};
}

std::string subscription::key_of(const message& content, const std::string& stream_key) const {
    if (!route_.sequential) return stream_key.empty() ? content.metadata().headers.stream : stream_key;
    try {
        return route_.sequential->key_of(content);
    } catch (const std::exception&) {
        return {};  // the handler meets the same trouble, and that counts as its failure
    }
}

void subscription::conclude_finished() {
    if (!pool_) return;
    for (const auto& [number, made] : pool_->take_finished()) conclude(number, made);
}

void subscription::conclude(parcel_number number, const attempt& made) {
    const parcel& what = plan_.in_hand(number);
    preview_.forget(commit::known_as(*what.content, what.delivery.entry));
    const observe::span_scope of_attempt{made.trace ? &*made.trace : nullptr};  // for the log and the counts
    switch (made.is) {
        case attempt::result::handled:
        case attempt::result::duplicate: {
            trace_.completed(what, made.took);
            if (made.settled && keeping_ != nullptr) keeping_->removed(what.source, what.delivery.entry);
            {
                const std::lock_guard lock{mutex_};
                ++status_.handled;
            }
            return outage_over(plan_.handled(number, made.is == attempt::result::duplicate, now()));
        }
        case attempt::result::expired:
            trace_.skipped(what, made.deadline);
            return plan_.skipped(number, now());
        case attempt::result::failed: {
            trace_.failed(what, made.reason, made.took);
            count_failure(made.reason);
            return outage_over(plan_.failed(number, made.reason, made.code, now()));
        }
        case attempt::result::contended:
            return plan_.contended(number, {made.reason, made.code}, env_.random().uniform(), now());
        case attempt::result::hindered:
            return paused(plan_.hindered(number, {made.reason, made.code}, now()), made.reason);
        case attempt::result::interrupted:
            return paused(plan_.interrupted(number, now()), made.reason);
        case attempt::result::evicted:
            // A lease of a later epoch is not touched: that the former one was lost is known.
            if (made.epoch == lease_->epoch()) lease_->forget(now());
            return plan_.withdrawn(number);
    }
}

void subscription::paused(bool begins, const std::string& reason) {
    if (begins) {
        observe::log(observe::level::warn, "subscription.paused",
                     {{"handler", route_.name}, {"stream", route_.streams[0]}, {"reason", reason}});
    }
    show(plan_.paused(now()) ? "paused" : "working", reason);
}

void subscription::tell_hindered(const parcel& what, int attempts, const std::string& reason) {
    count_failure(reason);
    observe::log(observe::level::warn, "subscription.message_hindered",
                 {{"handler", route_.name},
                  {"stream", route_.streams[what.source]},
                  {"message", what.content ? what.content->id() : what.delivery.entry},
                  {"attempts", std::to_string(attempts)},
                  {"reason", reason}});
}

void subscription::count_failure(const std::string& reason) {
    const std::lock_guard lock{mutex_};
    ++status_.failed;
    status_.detail = reason;
}

void subscription::outage_over(bool over) {
    if (!over) return;
    observe::log(observe::level::info, "subscription.resumed",
                 {{"handler", route_.name}, {"stream", route_.streams[0]}});
}

void subscription::open() {
    if (reader_) return;
    auto fresh = broker_.open_reader(route_.streams, member_);
    std::unique_ptr<keeping_reader> keeping;
    if (!broker_.can().keeps_failed) keeping = keep_here(std::move(fresh));
    if (!pool_ && (plan_.hands() > 1 || lease_)) pool_ = std::make_unique<handler_pool>(plan_.hands(), signal_);
    keeping_ = keeping.get();
    reader_ = keeping ? std::move(keeping) : std::move(fresh);
}

std::unique_ptr<keeping_reader> subscription::keep_here(std::unique_ptr<broker::reader> reader) {
    const auto key = [this](const broker::delivery& of) -> std::string {
        if (!route_.sequential && !of.key.empty()) return of.key;
        try {
            return key_of(env_.format_of(route_.broker).read(of.body, of.head), of.key);
        } catch (const decode_error&) {
            return {};  // it is no message: it will be set aside, and stands alone
        }
    };
    return std::make_unique<keeping_reader>(
        std::move(reader), env_.sessions("default").database().open_kept_messages(),
        keeping{
            .broker = route_.broker, .streams = route_.streams, .member = member_, .key_of = key, .time = env_.time()});
}

void subscription::close() noexcept {
    reader_.reset();
    keeping_ = nullptr;
    preview_.forget_all();
    plan_.lost(now());
}

duration subscription::disconnected(const error& trouble) {
    close();
    ++disconnections_;
    const duration pause = reconnect.delay(disconnections_);
    const std::string reason = base::one_line(trouble.what());
    if (disconnections_ == 1) {
        observe::log(
            observe::level::warn, "subscription.disconnected",
            {{"handler", route_.name}, {"broker", route_.broker}, {"stream", route_.streams[0]}, {"reason", reason}});
    }
    show("disconnected", reason);
    if (!lease_ || !lease_->is_held()) return pause;
    // Handlers at work keep it, so that nobody else begins with their keys.
    if (plan_.in_hand() > 0) return std::clamp(lease_->due() - now().steady, duration{0}, pause);
    lease_->release(now());  // perhaps another process reaches the broker
    owner_ = false;
    return pause;
}

/// Handlers return when they are done; the claims and the lease are kept until then.
void subscription::finish_in_hand() {
    const duration beat = member_.claim / 3;
    for (;;) {
        conclude_finished();
        if (plan_.in_hand() == 0) return;
        duration nap = beat;
        if (lease_ && may_work()) nap = std::min(nap, lease_->due() - now().steady);
        try {
            if (reader_) reader_->heartbeat(now().wall);
        } catch (const error& trouble) {
            static_cast<void>(disconnected(trouble));
        }
        static_cast<void>(base::wait_any(signal_, nullptr, nap));
    }
}

/// What is done is acknowledged, and what is not done is free for others at once. What fails here is delivered again
/// after the claim time, and the inbox knows it.
void subscription::leave() noexcept {
    try {
        if (!reader_) return;
        while (const auto failure = plan_.last_failure()) {
            if (const auto* later = std::get_if<put_off>(&*failure)) perform(*later);
            if (const auto* never = std::get_if<set_aside>(&*failure)) perform(*never);
        }
        while (const auto left = plan_.last_acknowledgement()) perform(*left);
        reader_->release();
    } catch (const std::exception& e) {
        observe::log(observe::level::warn, "subscription.left_messages",
                     {{"handler", route_.name}, {"stream", route_.streams[0]}, {"reason", base::one_line(e.what())}});
    }
}

void subscription::wait(duration timeout) {
    if (!reader_ || !listen_) {
        static_cast<void>(base::wait_any(signal_, nullptr, timeout));  // a stop or a handler's result ends it
        return;
    }
    try {
        static_cast<void>(reader_->wait(signal_, timeout));  // whatever ended it: look again
    } catch (const error& trouble) {
        const duration pause = disconnected(trouble);
        static_cast<void>(base::wait_any(signal_, nullptr, pause));
    }
}

void subscription::show(std::string state, std::string detail) {
    const std::lock_guard lock{mutex_};
    status_.state = std::move(state);
    if (!detail.empty()) status_.detail = std::move(detail);
    status_.held = plan_.held();
    status_.in_hand = plan_.in_hand();
}

}  // namespace sluice::consume
