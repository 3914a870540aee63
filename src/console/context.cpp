#include "console/context.hpp"

#include <algorithm>
#include <utility>

#include <sluice/error.hpp>

#include "base/random.hpp"
#include "base/signal_mask.hpp"
#include "consume/route.hpp"
#include "operate/request_error.hpp"

namespace sluice::console {

status_board::status_board(const operate::installation& with, const operate::declared_installation* declared,
                           const clock& time)
    : with_{with}, declared_{declared}, clock_{time} {
    const base::blocked_signals none;
    sampler_ = std::jthread{[this](const std::stop_token& stop) { keep_sampling(stop); }};
}

status_board::~status_board() = default;

std::shared_ptr<const operate::status_view> status_board::look() {
    const std::lock_guard one_at_a_time{looking_};
    std::uint64_t changes = 0;
    {
        const std::lock_guard lock{mutex_};
        changes = changes_;
        if (last_ && clock_.monotonic_now() < good_until_) return last_;
    }
    const instant begin = clock_.monotonic_now();
    auto seen = std::make_shared<const operate::status_view>(operate::read_status(with_, declared_, clock_.now()));
    const std::lock_guard lock{mutex_};
    if (changes == changes_) last_ = seen;  // else it may show what was before the change
    const instant end = clock_.monotonic_now();
    good_until_ = end + std::clamp(10 * (end - begin), fresh, longest_fresh);
    sample(*seen);
    return seen;
}

void status_board::forget() {
    const std::lock_guard lock{mutex_};
    last_.reset();
    ++changes_;
}

std::vector<lane_sample> status_board::samples_of(const std::string& database, const std::string& broker) const {
    const std::lock_guard lock{mutex_};
    const auto found = samples_.find({database, broker});
    if (found == samples_.end()) return {};
    return {found->second.begin(), found->second.end()};
}

void status_board::sample(const operate::status_view& status) {
    if (has_samples_ && clock_.monotonic_now() - sampled_at_ < sample_step) return;
    sampled_at_ = clock_.monotonic_now();
    has_samples_ = true;
    for (const operate::lane_view& lane : status.lanes) {
        auto& samples = samples_[{lane.database, lane.broker}];
        samples.push_back({.at = status.at, .depth = lane.depth(), .rate = lane.rate});
        if (samples.size() > most_samples) samples.pop_front();
    }
}

void status_board::keep_sampling(const std::stop_token& stop) {
    while (!stop.stop_requested()) {
        try {
            // The brokers are left alone as long as nobody looks.
            const operate::status_view seen = operate::read_lanes(with_, declared_, clock_.now());
            const std::lock_guard lock{mutex_};
            sample(seen);
        } catch (const std::exception&) {  // who asks for the status is told
        }
        std::unique_lock lock{mutex_};
        tick_.wait_for(lock, stop, sample_step, [] { return false; });
    }
}

context::context(const operate::site& at, const clock& time)
    : site_{at}, settings_{[at] { return operate::read_settings(at, ""); }} {
    if (at.knows_domain()) {
        try {
            declared_ = operate::open_declared(at);
            with_ = {declared_.env->configuration(), declared_.env->parts()};
            name_ = declared_.env->domain().normalized;
        } catch (const store_error& e) {
            why_undeclared_ = std::string{"the domain could not be opened: "} + e.what();
        }
    } else {
        why_undeclared_ = "no domain is named; start the console with --domain=PATH_OR_NAME";
    }
    if (!declared_.env) {
        declared_ = {};
        with_ = operate::open_installation(at);
    }
    board_ = std::make_unique<status_board>(with_, declared(), time);
}

context::context(settings_source settings, commit::environment& running, const clock& time)
    : settings_{std::move(settings)}, with_{running.configuration(), running.parts()}, running_{&running} {
    declared_.env = std::make_unique<commit::environment>(running.domain(), running.configuration(), running.parts(),
                                                          time, base::system_random());
    for (const auto& projector : running.domain().projectors) {
        declared_.env->set_reader(projector.table.name, running.reader_of(projector));
    }
    declared_.routes = consume::routes_of(*declared_.env);
    name_ = running.domain().normalized;
    board_ = std::make_unique<status_board>(with_, declared(), time);
}

const operate::declared_installation& context::require_declared() const {
    if (declared_.env) return declared_;
    throw operate::conflict("no_domain", why_undeclared_);
}

operate::read_models_view context::read_models() {
    static_cast<void>(require_declared());
    const std::lock_guard lock{readers_mutex_};
    return operate::list_read_models(*declared_.env);
}

void context::begin_rebuild(const std::string& read_model) {
    if (read_model.empty()) throw operate::wrong_request("say which read model");
    static_cast<void>(operate::projectors_of(require_declared().env->domain(), read_model));
    rebuilds_.begin(read_model);
}

projection::rebuild_report context::rebuild(const std::string& read_model, projection::rebuild_host& host) const {
    const auto with = [&](commit::environment& env) {
        return operate::rebuild(env, *operate::projectors_of(env.domain(), read_model).front(), false, host);
    };
    if (running_ != nullptr) return with(*running_);
    // The console looks: what rebuilds must be able to write.
    const operate::application opened =
        operate::open_application(operate::load_application(*site_), operate::read_models::as_they_are);
    return with(*opened.env);
}

operate::command_answer context::send(const operate::command_request& request, bool asynchronous) const {
    operate::require_command(require_declared().env->domain(), request.command);
    if (running_ != nullptr) return operate::command_runner{*running_, {}, asynchronous}.run(request);
    // The console looks: what runs a command must be able to write, and finds its tables.
    const operate::application opened = operate::open_application(operate::load_application(*site_));
    return operate::command_runner{*opened.env, {}, asynchronous}.run(request);
}

}  // namespace sluice::console
