#include "consume/subscription.hpp"

#include <algorithm>
#include <exception>
#include <type_traits>
#include <utility>

#include "base/one_line.hpp"
#include "observe/log.hpp"

namespace sluice::consume {

namespace {

constexpr base::backoff reconnect{};  // 1, 2, 4 … 30 seconds

plan_settings plan_settings_from(const config::subscription_settings& s, std::size_t sources) {
    plan_settings result;
    result.sources = sources;
    result.read_limit = s.messages_per_tick;
    result.max_held = s.max_held;
    result.max_attempts = s.max_retries;
    result.retry.first = base::from_seconds(s.retry_delay_seconds);
    result.retry.most = base::from_seconds(s.max_retry_delay_seconds);
    result.claim = base::from_seconds(s.claim_seconds);
    // The rest listens to the primary stream; a message for the backfill lane alone is found by looking.
    if (sources > 1) result.poll = std::chrono::milliseconds{250};
    return result;
}

/// True for trouble of the surroundings: the same message may well be handled later.
bool is_outage(const error& e) {
    const bool infrastructure =
        dynamic_cast<const store_error*>(&e) != nullptr || dynamic_cast<const broker_error*>(&e) != nullptr;
    return infrastructure && (e.retryable() || e.in_doubt());
}

}  // namespace

subscription::subscription(commit::environment& env, route what, std::string consumer)
    : env_{env},
      route_{std::move(what)},
      member_{.group = route_.group, .consumer = consumer, .claim = base::from_seconds(route_.settings.claim_seconds)},
      broker_{env.broker(route_.broker)},
      trace_{env.tracer(), route_, std::move(consumer)},
      plan_{plan_settings_from(route_.settings, route_.streams.size())} {
    status_.state = "stopped";
}

void subscription::run(const std::stop_token& stop) {
    const std::stop_callback wake{stop, [this] { signal_.notify(); }};
    close();
    while (!stop.stop_requested()) {
        const duration quiet = work(stop);
        if (!stop.stop_requested()) wait(quiet);
    }
    leave();
    close();
    show("stopped");
}

duration subscription::work(const std::stop_token& stop) {
    try {
        open();
        while (!stop.stop_requested()) {
            const action next = plan_.next(now());
            if (const auto* quiet = std::get_if<rest>(&next)) {
                listen_ = quiet->listen;
                show(plan_.paused(now()) ? "paused" : "idle");
                return quiet->until - now();
            }
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

subscription_status subscription::status() const {
    const std::lock_guard lock{mutex_};
    return status_;
}

void subscription::perform(const handle_parcel& act) {
    show("working");
    run_handler(*act.what);
}

void subscription::perform(const acknowledge& act) {
    std::vector<std::string> entries;
    entries.reserve(act.receipts->size());
    for (const receipt& each : *act.receipts) entries.push_back(each.entry);
    consumers_[act.source]->ack(entries);
    for (const receipt& each : *act.receipts) trace_.acknowledged(act.source, each);
    plan_.acknowledged(act.source);
}

void subscription::perform(const put_off& act) {
    consumers_[act.what.source]->defer(act.what.delivery.entry, act.attempts, act.not_before);
    trace_.deferred(act, route_.settings.max_retries);
}

void subscription::perform(const set_aside& act) {
    if (!route_.settings.enable_dlq) return drop(act);
    consumers_[act.what.source]->dead_letter(act.what.delivery, act.why);
    trace_.buried(act);
    const std::lock_guard lock{mutex_};
    ++status_.dead;
}

/// Nothing of the message stays but what is told, so it is told first: after a crash in between rather twice than
/// never.
void subscription::drop(const set_aside& act) {
    trace_.dropped(act);
    consumers_[act.what.source]->ack({&act.what.delivery.entry, 1});
    const std::lock_guard lock{mutex_};
    ++status_.dropped;
}

void subscription::perform(const read_more& act) {
    std::vector<arrival> arrivals;
    for (broker::delivery& each : consumers_[act.source]->read(act.limit, now())) {
        arrivals.push_back(look_at(act.source, std::move(each)));
    }
    if (std::exchange(disconnections_, 0) > 0) {
        observe::log(observe::level::info, "subscription.connected",
                     {{"handler", route_.name}, {"broker", route_.broker}, {"stream", route_.streams[0]}});
    }
    plan_.received(act.source, std::move(arrivals), now());
}

void subscription::perform(const keep_claims&) {
    for (const auto& consumer : consumers_) consumer->heartbeat(now());
}

void subscription::perform(const reopen&) {
    close();
    open();
}

arrival subscription::look_at(std::size_t source, broker::delivery delivery) const {
    std::optional<message> content;
    try {
        content = message::decode(delivery.body);
    } catch (const decode_error& e) {
        return {{source, std::move(delivery)}, unusable{base::one_line(e.what()), "undecodable"}};
    }
    const std::string& key = delivery.key.empty() ? content->metadata().headers.stream : delivery.key;
    finding is = wanted{key};
    switch (route_.interest_in(*content)) {
        case interest::wanted:
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

void subscription::run_handler(const parcel& what) {
    const date_time begin = now();
    const auto took = [&] { return std::max(now() - begin, duration{0}); };
    auto outcome = commit::outcome::handled;
    std::optional<date_time> missed;
    try {
        missed = missed_deadline(*what.content);
        if (!missed) {
            trace_.started(what);
            outcome = route_.handle(*what.content, what.delivery.entry);
        }
    } catch (const error& e) {
        return is_outage(e) ? interrupt(e) : fail(what, base::one_line(e.what()), e.code(), took());
    } catch (const std::exception& e) {
        return fail(what, base::one_line(e.what()), "handler_failed", took());
    } catch (...) {
        return fail(what, "the handler threw something that is no std::exception", "handler_failed", took());
    }
    if (missed) {
        trace_.skipped(what, *missed);
    } else {
        trace_.completed(what, took());
        const std::lock_guard lock{mutex_};
        ++status_.handled;
    }
    outage_over(plan_.handled(outcome == commit::outcome::duplicate, now()));
}

std::optional<date_time> subscription::missed_deadline(const message& m) const {
    if (!route_.deadline_of) return std::nullopt;
    const auto deadline = route_.deadline_of(m);
    return deadline && *deadline <= now() ? deadline : std::nullopt;
}

void subscription::fail(const parcel& what, const std::string& reason, const std::string& code, duration took) {
    trace_.failed(what, reason, took);
    {
        const std::lock_guard lock{mutex_};
        ++status_.failed;
        status_.detail = reason;
    }
    outage_over(plan_.failed(reason, code, now()));
}

void subscription::interrupt(const error& trouble) {
    const std::string reason = base::one_line(trouble.what());
    if (plan_.interrupted(now())) {
        observe::log(observe::level::warn, "subscription.paused",
                     {{"handler", route_.name}, {"stream", route_.streams[0]}, {"reason", reason}});
    }
    show("paused", reason);
}

void subscription::outage_over(bool over) {
    if (!over) return;
    observe::log(observe::level::info, "subscription.resumed",
                 {{"handler", route_.name}, {"stream", route_.streams[0]}});
}

void subscription::open() {
    if (!consumers_.empty()) return;
    std::vector<std::unique_ptr<broker::consumer>> fresh;
    for (const std::string& stream : route_.streams) fresh.push_back(broker_.open_consumer(stream, member_));
    consumers_ = std::move(fresh);
}

void subscription::close() noexcept {
    consumers_.clear();
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
    return pause;
}

/// What is done is acknowledged, and what is not done is free for others at once. What fails here is delivered again
/// after the claim time, and the inbox knows it.
void subscription::leave() noexcept {
    try {
        if (consumers_.empty()) return;
        while (const auto left = plan_.last_acknowledgement()) perform(*left);
        for (const auto& consumer : consumers_) consumer->heartbeat(now() - member_.claim);
    } catch (const std::exception& e) {
        observe::log(observe::level::warn, "subscription.left_messages",
                     {{"handler", route_.name}, {"stream", route_.streams[0]}, {"reason", base::one_line(e.what())}});
    }
}

void subscription::wait(duration timeout) {
    if (consumers_.empty() || !listen_) {
        static_cast<void>(base::wait_any(signal_, nullptr, timeout));  // only a stop ends it before its time
        return;
    }
    try {
        static_cast<void>(consumers_.front()->wait(signal_, timeout));  // whatever ended it: look again
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
}

}  // namespace sluice::consume
