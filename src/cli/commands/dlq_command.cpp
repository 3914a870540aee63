#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <limits>
#include <map>
#include <optional>

#include "base/base64.hpp"
#include "base/utf8.hpp"
#include "broker/broker.hpp"
#include "cli/commands/commands.hpp"
#include "cli/terminal/failure.hpp"
#include "cli/terminal/table.hpp"
#include "cli/terminal/units.hpp"
#include "config/printable.hpp"
#include "config/section.hpp"
#include "consume/orphan_groups.hpp"
#include "operate/json_forms.hpp"

namespace sluice::cli {

namespace {

using broker::dead_letter_entry;
using broker::dead_letter_filter;
using operate::text_or_null;

struct dlq_arguments {
    std::string id;
    std::string broker;
    std::string stream;
    std::string group;
    std::size_t limit = 100;
    bool all = false;
    bool yes = false;
};

dead_letter_filter to_filter(const dlq_arguments& given) {
    return {.stream = given.stream, .group = given.group, .id = given.id, .limit = given.limit};
}

struct open_broker {
    std::string name;
    std::unique_ptr<broker::operations> operations;
};

/// The broker that was asked for, or all.
std::vector<open_broker> open_brokers(const installation& with, const std::string& wanted) {
    std::vector<open_broker> opened;
    std::vector<std::string> names;
    for (const auto& [name, broker] : with.parts.brokers) {
        names.push_back(name);
        if (wanted.empty() || wanted == name) opened.push_back({name, broker->open_operations()});
    }
    if (opened.empty()) {
        throw wrong_usage(fmt::format("no broker `{}` is configured; {}", wanted,
                                      config::did_you_mean(wanted, names, "brokers are")));
    }
    return opened;
}

struct located_letter {
    std::string broker;
    dead_letter_entry letter;
};

/// Looks on every broker; one that is away is reported and does not hide the others.
/// @throws broker_error when none could answer
std::vector<located_letter> find_letters(const session& in, std::vector<open_broker>& brokers,
                                         const dead_letter_filter& filter, bool& all_answered) {
    std::vector<located_letter> found;
    std::size_t away = 0;
    for (open_broker& broker : brokers) {
        try {
            for (dead_letter_entry& letter : broker.operations->dead_letters(filter)) {
                found.push_back({broker.name, std::move(letter)});
            }
        } catch (const broker_error& e) {
            if (++away == brokers.size()) throw;
            in.out.warn(fmt::format("broker {} is unavailable: {}", broker.name, e.what()));
        }
    }
    all_answered = away == 0;
    std::stable_sort(found.begin(), found.end(),
                     [](const auto& a, const auto& b) { return a.letter.failed_at > b.letter.failed_at; });
    if (found.size() > filter.limit)
        found.erase(found.begin() + static_cast<std::ptrdiff_t>(filter.limit), found.end());
    return found;
}

bool is_utf8(std::string_view text) {
    while (!text.empty()) {
        const base::utf8_sequence next = base::decode_utf8(text);
        if (!next.well_formed) return false;
        text.remove_prefix(next.length);
    }
    return true;
}

/// Bodies are raw bytes: text when they are text, else base64.
json::value as_json(const located_letter& located) {
    const dead_letter_entry& letter = located.letter;
    const bool text = is_utf8(letter.body);
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

std::string body_for_people(const std::string& body) {
    try {
        return indented(json::dump(json::parse(body), json::style::pretty), 2);
    } catch (const decode_error&) {
        return is_utf8(body) ? indented(body, 2) : "  base64: " + base::base64_encode(body);
    }
}

exit_code list_dead_letters(const session& in, const dlq_arguments& given) {
    const installation with = operate::open_installation(in.site);
    auto brokers = open_brokers(with, given.broker);
    bool all_answered = true;
    const auto letters = find_letters(in, brokers, to_filter(given), all_answered);
    if (in.out.json()) {
        json::array list;
        for (const located_letter& each : letters) list.push_back(as_json(each));
        in.out.print_json(json::object{{"dead_letters", std::move(list)}});
    } else if (letters.empty()) {
        in.out.print("no dead letters");
    } else {
        table listing{{{"ID"},
                       {"BROKER"},
                       {"STREAM"},
                       {"GROUP"},
                       {"CODE"},
                       {"TRIES", alignment::right},
                       {"AGE", alignment::right},
                       {"REASON"}}};
        const date_time now = system_clock().now();
        for (const auto& [broker, letter] : letters) {
            constexpr std::size_t longest_reason = 80;
            listing.add({letter.id, broker, letter.stream, letter.group, letter.code, std::to_string(letter.attempts),
                         age_text(now - letter.failed_at), config::printable(letter.reason, longest_reason)});
        }
        in.out.print(listing.render(in.out));
        if (letters.size() == given.limit) in.out.print("\nthere may be more (--limit)");
    }
    return all_answered ? exit_code::ok : exit_code::unavailable;
}

failure no_such_letter(const std::string& id) {
    return not_found(fmt::format("there is no dead letter `{}`; `sluice dlq list` shows the ids", id));
}

/// The one letter with that id; several brokers may number alike.
located_letter find_one(const session& in, std::vector<open_broker>& brokers, const dlq_arguments& given) {
    bool all_answered = true;
    auto letters = find_letters(in, brokers, to_filter(given), all_answered);
    if (letters.empty()) throw no_such_letter(given.id);
    if (letters.size() == 1) return std::move(letters.front());
    std::vector<std::string> names;
    names.reserve(letters.size());
    for (const located_letter& each : letters) names.push_back(each.broker);
    throw wrong_usage(fmt::format("several brokers have a dead letter `{}`; add --broker with one of: {}", given.id,
                                  fmt::join(names, ", ")));
}

exit_code show_dead_letter(const session& in, const dlq_arguments& given) {
    const installation with = operate::open_installation(in.site);
    auto brokers = open_brokers(with, given.broker);
    const located_letter found = find_one(in, brokers, given);
    if (in.out.json()) {
        in.out.print_json(as_json(found));
        return exit_code::ok;
    }
    const dead_letter_entry& letter = found.letter;
    const std::string age = age_text(system_clock().now() - letter.failed_at);
    for (const auto& [title, value] : std::initializer_list<std::pair<const char*, std::string>>{
             {"id", letter.id},
             {"broker", found.broker},
             {"stream", letter.stream},
             {"entry", letter.original_entry},
             {"group", letter.group},
             {"consumer", letter.consumer},
             {"code", letter.code},
             {"reason", letter.reason},
             {"attempts", std::to_string(letter.attempts)},
             {"failed", letter.failed_at.to_string() + " (" + age + " ago)"}}) {
        in.out.print(fmt::format("{:<9} {}", title, config::printable(value)));
    }
    in.out.print("\nbody");
    in.out.print(body_for_people(letter.body));
    return exit_code::ok;
}

/// What can be done with dead letters.
struct letter_change {
    const char* verb = "";
    const char* done = "";
    broker::letters_outcome (broker::operations::*run)(const dead_letter_filter&) = nullptr;
    bool loses = false;         ///< nothing brings them back
    bool needs_reader = false;  ///< they go to their group, so somebody must read for it
};

/// Why some dead letters of one broker were not changed.
struct left_letters {
    std::string broker;
    broker::letters_outcome::left_behind what;  ///< with no stream: the broker as a whole, an unknown number
};

std::string to_text(const left_letters& left) {
    const auto& [broker, what] = left;
    if (what.stream.empty()) return fmt::format("broker {}: {}", broker, what.reason);
    return fmt::format("left: {} of {} on {} (broker {}): {}",
                       count_of(static_cast<std::int64_t>(what.count), "dead letter"),
                       what.group.empty() ? "no group" : what.group, what.stream, broker, what.reason);
}

json::value as_json(const left_letters& left) {
    return json::object{{"broker", left.broker},
                        {"stream", text_or_null(left.what.stream)},
                        {"group", text_or_null(left.what.group)},
                        {"count", left.what.stream.empty() ? json::value{nullptr} : json::value{left.what.count}},
                        {"reason", left.what.reason}};
}

/// The domain with its routes, which tell what groups are read. Dead letters can be handled without one: null when none
/// is named, or with a warning when it cannot be opened.
std::optional<declared_installation> open_readers(const session& in) {
    if (in.site.domain.empty()) return std::nullopt;
    try {
        return operate::open_declared(in.site);
    } catch (const error& e) {
        in.out.warn(fmt::format("whether handlers read for these groups was not checked: {}", e.what()));
        return std::nullopt;
    }
}

bool matches(const broker::group_status& group, const dead_letter_filter& filter) {
    return group.dead > 0 && (filter.stream.empty() || filter.stream == group.stream) &&
           (filter.group.empty() || filter.group == group.group);
}

/// The matching dead letters of one broker, by whether a handler of this build reads for their group.
struct readership {
    std::vector<broker::letters_outcome::left_behind> unread;
    std::vector<dead_letter_filter> read;  ///< one for each group that is; only of use beside unread ones
    std::size_t unread_letters = 0;
};

readership find_readers(open_broker& broker, const declared_installation& by, const dead_letter_filter& filter) {
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

/// Where all groups are read the broker is asked once, otherwise once for each group that is.
broker::letters_outcome run(const letter_change& change, open_broker& broker, const dead_letter_filter& filter,
                            const readership& readers) {
    auto& operations = *broker.operations;
    if (readers.unread.empty()) return (operations.*change.run)(filter);
    broker::letters_outcome sum;
    sum.left = readers.unread;
    for (const auto& each : readers.read) {
        auto outcome = (operations.*change.run)(each);
        sum.changed += outcome.changed;
        for (auto& left : outcome.left) sum.left.push_back(std::move(left));
        sum.interrupted = std::move(outcome.interrupted);
        if (!sum.interrupted.empty()) break;
    }
    return sum;
}

exit_code change_letters(const session& in, const dlq_arguments& given, const letter_change& change) {
    const bool picks_nothing = given.id.empty() && given.broker.empty() && given.stream.empty() && given.group.empty();
    if (given.all && !picks_nothing) throw wrong_usage("--all and a choice of dead letters contradict each other");
    if (picks_nothing && !given.all) {
        throw wrong_usage(
            fmt::format("say which dead letters to {}: an ID, --broker, --stream, --group, or --all", change.verb));
    }
    const installation with = operate::open_installation(in.site);
    auto brokers = open_brokers(with, given.broker);
    dead_letter_filter filter = to_filter(given);
    filter.limit = std::numeric_limits<std::size_t>::max();
    if (!given.id.empty()) {
        const located_letter wanted = find_one(in, brokers, given);
        std::erase_if(brokers, [&](const open_broker& each) { return each.name != wanted.broker; });
        filter.stream = wanted.letter.stream;
        filter.group = wanted.letter.group;
    }
    const auto readers = change.needs_reader ? open_readers(in) : std::nullopt;
    std::vector<left_letters> left;
    const auto pass_over = [&](const open_broker& broker, std::string reason) {
        left.push_back({broker.name, {.stream = {}, .group = {}, .reason = std::move(reason)}});
    };

    std::size_t total = 0;
    std::map<std::string, readership> readers_on;
    for (auto broker = brokers.begin(); broker != brokers.end();) {
        try {
            auto& seen = readers_on[broker->name];
            if (readers) seen = find_readers(*broker, *readers, filter);
            const auto matching = broker->operations->count(filter);
            total += matching - std::min(matching, seen.unread_letters);
            ++broker;
        } catch (const broker_error& e) {
            if (brokers.size() == 1 && left.empty()) throw;
            pass_over(*broker, e.what());
            broker = brokers.erase(broker);
        }
    }
    const std::string amount = count_of(static_cast<std::int64_t>(total), "dead letter");
    if (total > 0 && !given.yes) {
        const std::string question = fmt::format("{} {}?", change.verb, amount);
        const bool agreed = change.loses && given.all ? in.out.confirm_loss(question) : in.out.confirm(question);
        if (!agreed) throw failure{exit_code::failed, "declined", "nothing was changed"};
    }
    std::size_t changed = 0;
    for (open_broker& broker : brokers) {
        try {
            broker::letters_outcome outcome = run(change, broker, filter, readers_on[broker.name]);
            changed += outcome.changed;
            for (auto& each : outcome.left) left.push_back({broker.name, std::move(each)});
            if (!outcome.interrupted.empty()) pass_over(broker, "stopped on the way: " + outcome.interrupted);
        } catch (const broker_error& e) {
            pass_over(broker, e.what());
        }
    }
    if (in.out.json()) {
        json::array list;
        for (const left_letters& each : left) list.push_back(as_json(each));
        in.out.print_json(json::object{{"changed", changed}, {"left", std::move(list)}});
    } else {
        in.out.print(fmt::format("{} {}", count_of(static_cast<std::int64_t>(changed), "dead letter"), change.done));
    }
    for (const left_letters& each : left) in.out.warn(safe_lines(to_text(each)));
    return left.empty() ? exit_code::ok : exit_code::failed;
}

exit_code replay(const session& in, const dlq_arguments& given) {
    return change_letters(in, given,
                          {.verb = "replay",
                           .done = "handed back to the group that failed",
                           .run = &broker::operations::replay,
                           .needs_reader = true});
}

exit_code purge(const session& in, const dlq_arguments& given) {
    return change_letters(in, given,
                          {.verb = "purge", .done = "deleted", .run = &broker::operations::purge, .loses = true});
}

}  // namespace

void add_dlq(command& root) {
    const auto given = std::make_shared<dlq_arguments>();
    command dlq = root.add("dlq", "Look at dead letters, replay or delete them");
    const auto add = [&](const char* name, const char* purpose) {
        return dlq.add(name, purpose)
            .option("--broker", "NAME", given->broker, "On this broker only (default: all configured)")
            .option("--stream", "STREAM", given->stream, "Of this stream")
            .option("--group", "GROUP", given->group, "Of this consumer group");
    };
    const auto add_change = [&](const char* name, const char* purpose) {
        return add(name, purpose)
            .optional_argument("ID", given->id, "Only this one")
            .flag("--all", given->all, "All of every broker")
            .flag("-y,--yes", given->yes, "Do not ask");
    };
    add("list", "List dead letters, newest first").limit(given->limit).runs(list_dead_letters, given);
    add("show", "Show one dead letter with its body").argument("ID", given->id, "Its id").runs(show_dead_letter, given);
    add_change("replay", "Hand dead letters back to the group that failed, and to no other").runs(replay, given);
    add_change("purge", "Delete dead letters").runs(purge, given);
}

}  // namespace sluice::cli
