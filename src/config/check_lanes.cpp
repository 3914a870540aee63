#include "config/check_lanes.hpp"

#include <algorithm>
#include <span>
#include <string_view>

#include <sluice/detail/field_tree.hpp>

#include "config/document.hpp"
#include "config/lane_choice.hpp"
#include "config/section.hpp"
#include "envelope/redaction.hpp"

namespace sluice::config {

namespace {

using detail::value_kind;

/// True when a value of the type may have a member at the end of the path. Of JSON without a declared form anything may
/// be there.
bool may_have(const detail::value_type& type, std::span<const std::string_view> path) {
    if (type.kind == value_kind::list) return may_have(*type.element, path);
    if (path.empty()) return true;
    if (type.kind == value_kind::json || type.kind == value_kind::json_object) return true;
    if (type.kind == value_kind::map) return may_have(*type.element, path.subspan(1));
    if (type.kind != value_kind::structure) return false;
    const auto& members = type.structure().members;
    const auto found = std::ranges::find(members, path.front(), &detail::field_entry::name);
    return found != members.end() && may_have(*found->type, path.subspan(1));
}

bool may_have(const detail::field_tree& tree, std::span<const std::string_view> path) {
    const auto found = std::ranges::find(tree.members, path.front(), &detail::field_entry::name);
    return found != tree.members.end() && may_have(*found->type, path.subspan(1));
}

/// Holds what `[outbox.lanes.NAME]` of one broker says against the domain.
class lane_check {
public:
    lane_check(const detail::registry& domain, const std::string& broker, const lane_options& lane,
               std::vector<finding>& found)
        : domain_{domain}, section_{join_key("outbox.lanes", broker)}, lane_{lane}, found_{found} {
        for (const auto& [cpp_name, event] : domain_.events) {
            if (event.published) published_.push_back(&event);
        }
    }

    void run() const {
        for (const std::string& each : lane_.events.value_or(std::vector<std::string>{})) check_event(each);
        for (const std::string& each : lane_.aggregates.value_or(std::vector<std::string>{})) check_aggregate(each);
        for (const std::string& each : lane_.terms.redact) check_redaction(each);
    }

private:
    void check_event(const std::string& pattern) const {
        if (std::ranges::any_of(published_, [&](const auto* each) { return means_event(pattern, *each); })) return;
        std::vector<std::string> names;
        for (const auto* each : published_) names.push_back(each->name);
        tell(severity::warning, "LANE_MEANS_NOTHING", "events: \"" + pattern + "\" means no published event",
             did_you_mean(pattern, names, "published are", "no event is published"));
    }

    void check_aggregate(const std::string& pattern) const {
        std::vector<std::string> names;
        for (const auto* each : published_) {
            const detail::aggregate_entry& aggregate = domain_.aggregate(each->aggregate);
            if (means_aggregate(pattern, aggregate)) return;
            if (std::ranges::find(names, aggregate.name) == names.end()) names.push_back(aggregate.name);
        }
        tell(severity::warning, "LANE_MEANS_NOTHING",
             "aggregates: \"" + pattern + "\" means no aggregate with a published event",
             did_you_mean(pattern, names, "aggregates with published events are", "no event is published"));
    }

    /// What older versions of an event hold is known to their converters only.
    void check_redaction(const std::string& path) const {
        const std::vector<std::string_view> names = envelope::path_names(path);
        bool has_older = false;
        for (const auto* each : published_) {
            const detail::aggregate_entry& aggregate = domain_.aggregate(each->aggregate);
            if (!wants(lane_, *each, aggregate)) continue;
            const detail::field_tree* const fields = each->fields != nullptr ? each->fields : aggregate.fields;
            if (fields == nullptr || may_have(*fields, names)) return;
            has_older = has_older || domain_.also_published.contains(each->cpp_name);
        }
        tell(has_older ? severity::warning : severity::error, "UNKNOWN_MEMBER",
             "redact: no published event of this lane has the member \"" + path + "\"",
             has_older ? "correct or remove it, unless an older version of an event has it"
                       : "correct it or remove it: what is meant would leave");
    }

    void tell(severity level, const char* code, const std::string& message, std::string remedy) const {
        found_.push_back({.level = level,
                          .code = code,
                          .element = section_,
                          .message = "[" + section_ + "] " + message,
                          .remedy = std::move(remedy)});
    }

    const detail::registry& domain_;
    std::string section_;
    const lane_options& lane_;
    std::vector<finding>& found_;
    std::vector<const detail::event_entry*> published_;
};

}  // namespace

void check_lanes(const detail::registry& domain, const configuration& with, std::vector<finding>& found) {
    for (const auto& [broker, lane] : with.outbox.lanes) lane_check{domain, broker, lane, found}.run();
}

}  // namespace sluice::config
