#include "operate/dead_letters.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <limits>
#include <string_view>
#include <utility>

#include <sluice/error.hpp>

#include "base/base64.hpp"
#include "base/utf8.hpp"
#include "broker/broker.hpp"
#include "config/section.hpp"
#include "consume/broker_operations.hpp"
#include "consume/orphan_groups.hpp"
#include "operate/json_forms.hpp"
#include "operate/merging.hpp"
#include "operate/request_error.hpp"

namespace sluice::operate {

namespace {

using broker::dead_letter_entry;
using broker::dead_letter_filter;
using broker::letters_outcome;

bool matches(const broker::group_status& group, const dead_letter_filter& filter) {
    return group.dead > 0 && (filter.stream.empty() || filter.stream == group.stream) &&
           (filter.group.empty() || filter.group == group.group);
}

readership find_readers(const open_broker& broker, const declared_installation& by, const dead_letter_filter& filter) {
    const auto groups = broker.operations->groups();
    std::vector<broker::known_group> known;
    known.reserve(groups.size());
    for (const auto& each : groups) known.push_back({each.stream, each.group, each.domain});
    const auto orphans =
        consume::orphan_groups(known, by.routes, broker.name, consume::places_of(*by.env), by.env->domain().normalized);
    readership found;
    for (const auto& each : groups) {
        if (!matches(each, filter)) continue;
        const broker::known_group group{each.stream, each.group, each.domain};
        if (std::find(orphans.begin(), orphans.end(), group) == orphans.end()) {
            found.read.push_back({.stream = each.stream, .group = each.group, .id = filter.id, .limit = filter.limit});
            continue;
        }
        const auto letters = filter.id.empty() ? static_cast<std::size_t>(each.dead) : 1;
        found.unread.push_back(
            {.stream = each.stream,
             .group = each.group,
             .reason = "no handler of this build reads for this group; " + consume::remedy_for(group),
             .count = letters});
        found.unread_letters += letters;
    }
    return found;
}

json::value left_json(const left_letters& left) {
    return json::object{{"broker", left.broker},
                        {"stream", text_or_null(left.what.stream)},
                        {"group", text_or_null(left.what.group)},
                        {"count", left.what.stream.empty() ? json::value{nullptr} : json::value{left.what.count}},
                        {"reason", left.what.reason}};
}

}  // namespace

std::vector<open_broker> open_brokers(const commit::adapters& parts, const std::string& wanted) {
    std::vector<open_broker> opened;
    std::vector<std::string> names;
    for (const auto& [name, broker] : parts.brokers) {
        names.push_back(name);
        if (!wanted.empty() && wanted != name) continue;
        opened.push_back({name, consume::open_broker_operations(parts, name)});
    }
    if (opened.empty()) {
        throw wrong_request(fmt::format("no broker `{}` is configured; {}", wanted,
                                        config::did_you_mean(wanted, names, "brokers are")));
    }
    return opened;
}

letters_view find_letters(const std::vector<open_broker>& brokers, const dead_letter_filter& filter) {
    letters_view found;
    for (const open_broker& broker : brokers) {
        try {
            for (dead_letter_entry& letter : broker.operations->dead_letters(filter)) {
                found.letters.push_back({broker.name, std::move(letter)});
            }
        } catch (const broker_error& e) {
            found.away.push_back({outage::kind::broker, broker.name, e.what()});
        }
    }
    found.none_answered = found.away.size() == brokers.size();
    merge_by_time(found.letters, time_order::newest_first, filter.limit,
                  [](const located_letter& each) { return each.letter.failed_at; });
    return found;
}

const located_letter& the_one(const letters_view& found, const std::string& id) {
    const auto& letters = found.letters;
    if (letters.empty()) {
        throw not_found(fmt::format("there is no dead letter `{}`; `sluice dlq list` shows the ids", id));
    }
    if (letters.size() == 1) return letters.front();
    std::vector<std::string> names;
    names.reserve(letters.size());
    for (const located_letter& each : letters) names.push_back(each.broker);
    throw wrong_request(fmt::format("several brokers have a dead letter `{}`; add --broker with one of: {}", id,
                                    fmt::join(names, ", ")));
}

void narrow(std::vector<open_broker>& brokers, dead_letter_filter& filter, const located_letter& wanted) {
    std::erase_if(brokers, [&](const open_broker& each) { return each.name != wanted.broker; });
    filter.stream = wanted.letter.stream;
    filter.group = wanted.letter.group;
}

/// Bodies are raw bytes: text when they are text, else base64.
json::value to_json(const located_letter& located) {
    const dead_letter_entry& letter = located.letter;
    const bool text = base::is_utf8(letter.body);
    return json::object{{"id", letter.id},
                        {"broker", located.broker},
                        {"stream", letter.stream},
                        {"entry", letter.original_entry},
                        {"group", letter.group},
                        {"consumer", letter.consumer},
                        {"code", letter.code},
                        {"reason", letter.reason},
                        {"attempts", letter.attempts},
                        {"failed_at", letter.failed_at.to_string()},
                        {"body", text ? json::value{letter.body} : nullptr},
                        {"body_base64", text ? nullptr : json::value{base::base64_encode(letter.body)}}};
}

json::value to_json(const letters_view& view) {
    json::array list;
    for (const located_letter& each : view.letters) list.push_back(to_json(each));
    return json::object{{"dead_letters", std::move(list)}};
}

const char* to_string(letter_action what) noexcept { return what == letter_action::replay ? "replay" : "purge"; }

letter_change::letter_change(std::vector<open_broker> brokers, letter_action what, dead_letter_filter filter,
                             const declared_installation* readers)
    : brokers_{std::move(brokers)}, what_{what}, filter_{std::move(filter)} {
    filter_.limit = std::numeric_limits<std::size_t>::max();
    for (auto broker = brokers_.begin(); broker != brokers_.end();) {
        try {
            count_letters(*broker, readers);
            ++broker;
        } catch (const broker_error& e) {
            if (brokers_.size() == 1 && left_.empty()) throw;
            leave(broker->name, e.what());
            broker = brokers_.erase(broker);
        }
    }
}

void letter_change::count_letters(const open_broker& broker, const declared_installation* readers) {
    readership& seen = readers_[broker.name];
    if (readers != nullptr) seen = find_readers(broker, *readers, filter_);
    const std::size_t matching = broker.operations->count(filter_);
    count_ += matching - std::min(matching, seen.unread_letters);
}

void letter_change::leave(const std::string& broker, std::string reason) {
    left_.push_back({broker, {.stream = {}, .group = {}, .reason = std::move(reason)}});
}

changed_letters letter_change::apply() {
    std::size_t changed = 0;
    for (const open_broker& broker : brokers_) {
        try {
            letters_outcome outcome = run(broker);
            changed += outcome.changed;
            for (auto& each : outcome.left) left_.push_back({broker.name, std::move(each)});
            if (!outcome.interrupted.empty()) leave(broker.name, "stopped on the way: " + outcome.interrupted);
        } catch (const broker_error& e) {
            leave(broker.name, e.what());
        }
    }
    return {.changed = changed, .left = std::exchange(left_, {})};
}

/// Where all groups are read the broker is asked once, otherwise once for each group that is.
letters_outcome letter_change::run(const open_broker& broker) const {
    const readership& readers = readers_.at(broker.name);
    if (readers.unread.empty()) return run(*broker.operations, filter_);
    letters_outcome sum;
    sum.left = readers.unread;
    for (const dead_letter_filter& each : readers.read) {
        letters_outcome outcome = run(*broker.operations, each);
        sum.changed += outcome.changed;
        for (auto& left : outcome.left) sum.left.push_back(std::move(left));
        sum.interrupted = std::move(outcome.interrupted);
        if (!sum.interrupted.empty()) break;
    }
    return sum;
}

letters_outcome letter_change::run(broker::operations& on, const dead_letter_filter& filter) const {
    return what_ == letter_action::replay ? on.replay(filter) : on.purge(filter);
}

json::value to_json(const changed_letters& outcome) {
    json::array list;
    for (const left_letters& each : outcome.left) list.push_back(left_json(each));
    return json::object{{"changed", outcome.changed}, {"left", std::move(list)}};
}

}  // namespace sluice::operate
