#include "commit/stored_log.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

#include <sluice/error.hpp>
#include <sluice/message.hpp>

#include "base/one_line.hpp"

namespace sluice::commit {

namespace {

using store::sequence;

/// Events that are searched for one of a type, at either end of the log.
constexpr sequence end_part = 20'000;
/// Events that are looked at between the ends.
constexpr sequence most_samples = 200;
constexpr std::size_t events_at_each_end = 100;

/// The numbers of the log at which samples are taken.
std::vector<sequence> places(sequence first, sequence last) {
    std::vector<sequence> found;
    const sequence step = std::max<sequence>(1, (last - first) / most_samples);
    for (sequence at = first; at <= last; at += step) found.push_back(at);
    return found;
}

/// Looks at each event of the log at most once.
class log_reader {
public:
    log_reader(store::operations_session& log, log_review& review) : log_{log}, review_{review} {}

    void look(const store::event_filter& filter) {
        for (const store::stream_event& each : log_.events(filter)) {
            if (looked_at_.insert(each.seq).second) review_.see(each);
        }
    }

private:
    store::operations_session& log_;
    log_review& review_;
    std::set<sequence> looked_at_;
};

/// Types that Sluice itself writes into the log, and commands.
bool is_no_event(const detail::registry& domain, const std::string& type) {
    if (domain.command_by_type(type) != nullptr) return true;
    return type.find("._PM") != std::string::npos;
}

}  // namespace

void log_review::see(const store::stream_event& stored) {
    ++seen_;
    const std::string& type = stored.event.type;
    ++seen_of_type_[type];
    // What other domains or programs have written into the log is none of ours.
    if (!type.starts_with(domain_.camel + ".") || is_no_event(domain_, type)) return;
    if (stored.event.stream_category.ends_with(":command")) return;
    if (const detail::event_entry* event = domain_.event_by_type(type)) return try_to_read(*event, stored);
    auto& found = unknown_[type];
    found.category = stored.event.stream_category;
    if (found.where.count++ == 0 || stored.seq < found.where.first) found.where.first = stored.seq;
}

void log_review::try_to_read(const detail::event_entry& event, const store::stream_event& stored) {
    if (event.try_read == nullptr) return;
    const auto note = [&](const std::string& what) {
        auto& where = unreadable_[{stored.event.type, what}];
        if (where.count++ == 0 || stored.seq < where.first) where.first = stored.seq;
    };
    try {
        const json::value data = json::parse(stored.event.data);
        event.try_read(domain_.read_event(stored.event.type, data)->data());
    } catch (const validation_error& e) {
        for (const violation& each : e.violations()) note("`" + each.field + "` " + each.message);
    } catch (const std::exception& e) {
        note(base::one_line(e.what()));
    }
}

std::string log_review::among(const sighting& where, const std::string& type) const {
    return fmt::format("{} of {} events of this type that were looked at, the first with number {}", where.count,
                       seen_of_type_.at(type), where.first);
}

log_problem log_review::unknown(const std::string& type, const unknown_type& found) const {
    const message_type stored{type};
    // Facts of an aggregate that has none any more have streams of their own.
    const bool is_state = !stored.name().ends_with("FactEvent") &&
                          std::any_of(domain_.aggregates.begin(), domain_.aggregates.end(), [&](const auto& each) {
                              return each.second.category == found.category && each.second.sourcing.has_value();
                          });
    const std::string part_of_state =
        is_state ? ", though they are part of the state of an event-sourced aggregate" : std::string{};
    const auto declared = std::find_if(domain_.events.begin(), domain_.events.end(),
                                       [&](const auto& event) { return stored.names(event.second.name); });
    if (declared != domain_.events.end()) {
        const bool is_of_tomorrow = stored.version() > declared->second.version;
        return {
            .is_error = is_state || !is_of_tomorrow,
            .type = type,
            .message =
                fmt::format("the log holds events of type {}, and nothing leads from that version to version {}, "
                            "which is declared{} ({})",
                            type, declared->second.version, part_of_state, among(found.where, type)),
            .remedy = is_of_tomorrow ? "run the newer build that wrote them" : "declare an upcaster from that version"};
    }
    return {.is_error = is_state,
            .type = type,
            .message = fmt::format("the log holds events of type {}, which this build does not declare{} ({})", type,
                                   part_of_state, among(found.where, type)),
            .remedy = is_state
                          ? "declare the event again; an `apply` that does nothing is enough"
                          : "nothing is to be done when it was removed on purpose: handlers and rebuilds pass them "
                            "over; when it was renamed, keep its former .name in the contract"};
}

std::vector<log_problem> log_review::problems() const {
    std::vector<log_problem> all;
    for (const auto& [what, where] : unreadable_) {
        const auto& [type, wrong] = what;
        all.push_back({.type = type,
                       .message = fmt::format("stored events of type {} cannot be read: {} ({})", type, wrong,
                                              among(where, type)),
                       .remedy = "give the member an initialiser that differs from an empty one, make it "
                                 "std::optional, or raise the version of the event and declare an upcaster"});
    }
    for (const auto& [type, found] : unknown_) all.push_back(unknown(type, found));
    return all;
}

std::vector<log_problem> problems_of_log(const detail::registry& domain, store::operations_session& log) {
    log_review review{domain};
    log_reader reader{log, review};
    reader.look({.limit = events_at_each_end});
    reader.look({.newest_first = true, .limit = events_at_each_end});
    const auto newest = log.events({.newest_first = true, .limit = 1});
    if (newest.empty()) return {};
    const sequence first = log.events({.limit = 1}).front().seq;
    const sequence last = newest.front().seq;
    if (review.seen() > 0 && last - first >= static_cast<sequence>(events_at_each_end)) {
        for (const sequence at : places(first, last)) reader.look({.after = at - 1, .limit = 1});
        for (const auto& [cpp_name, event] : domain.events) {
            for (int version = 1; version <= event.version; ++version) {
                const std::string type = domain.type_of(event.name, version);
                reader.look({.type = type, .upto = first + end_part, .limit = 1});
                reader.look({.type = type, .after = last - end_part, .newest_first = true, .limit = 1});
            }
        }
    }
    return review.problems();
}

}  // namespace sluice::commit
