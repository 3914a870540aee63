#include <fmt/format.h>

#include <initializer_list>
#include <optional>
#include <utility>

#include "base/base64.hpp"
#include "base/utf8.hpp"
#include "cli/commands/commands.hpp"
#include "cli/terminal/failure.hpp"
#include "cli/terminal/table.hpp"
#include "cli/terminal/units.hpp"
#include "config/printable.hpp"
#include "operate/dead_letters.hpp"

namespace sluice::cli {

namespace {

using broker::dead_letter_filter;
using operate::left_letters;
using operate::letter_action;
using operate::letters_view;
using operate::located_letter;

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

/// Says which brokers are away. @throws failure (unavailable) when all are
letters_view find_letters(const session& in, const std::vector<operate::open_broker>& brokers,
                          const dead_letter_filter& filter) {
    letters_view found = operate::find_letters(brokers, filter);
    for (const operate::outage& each : found.away) {
        if (found.none_answered && &each == &found.away.back()) {
            throw failure{exit_code::unavailable, "broker_error", each.reason};
        }
        in.out.warn(fmt::format("{} is unavailable: {}", each.subject(), each.reason));
    }
    return found;
}

std::string body_for_people(const std::string& body) {
    try {
        return indented(json::dump(json::parse(body), json::style::pretty), 2);
    } catch (const decode_error&) {
        return base::is_utf8(body) ? indented(body, 2) : "  base64: " + base::base64_encode(body);
    }
}

void print(const session& in, const std::vector<located_letter>& letters, std::size_t limit) {
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
    if (letters.size() == limit) in.out.print("\nthere may be more (--limit)");
}

exit_code list_dead_letters(const session& in, const dlq_arguments& given) {
    const installation with = operate::open_installation(in.site);
    const letters_view found = find_letters(in, operate::open_brokers(with.parts, given.broker), to_filter(given));
    if (in.out.json()) {
        in.out.print_json(to_json(found));
    } else if (found.letters.empty()) {
        in.out.print("no dead letters");
    } else {
        print(in, found.letters, given.limit);
    }
    return found.away.empty() ? exit_code::ok : exit_code::unavailable;
}

void print(const session& in, const located_letter& found) {
    const broker::dead_letter_entry& letter = found.letter;
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
}

exit_code show_dead_letter(const session& in, const dlq_arguments& given) {
    const installation with = operate::open_installation(in.site);
    const letters_view found = find_letters(in, operate::open_brokers(with.parts, given.broker), to_filter(given));
    const located_letter& letter = operate::the_one(found, given.id);
    if (in.out.json()) {
        in.out.print_json(to_json(letter));
    } else {
        print(in, letter);
    }
    return exit_code::ok;
}

std::string to_text(const left_letters& left) {
    const auto& [broker, what] = left;
    if (what.stream.empty()) return fmt::format("broker {}: {}", broker, what.reason);
    return fmt::format("left: {} of {} on {} (broker {}): {}", count_of(what.count, "dead letter"),
                       what.group.empty() ? "no group" : what.group, what.stream, broker, what.reason);
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

void require_a_choice(letter_action what, const dlq_arguments& given) {
    const bool picks_nothing = given.id.empty() && given.broker.empty() && given.stream.empty() && given.group.empty();
    if (given.all && !picks_nothing) throw wrong_usage("--all and a choice of dead letters contradict each other");
    if (picks_nothing && !given.all) {
        throw wrong_usage(
            fmt::format("say which dead letters to {}: an ID, --broker, --stream, --group, or --all", to_string(what)));
    }
}

exit_code change_letters(const session& in, const dlq_arguments& given, letter_action what) {
    require_a_choice(what, given);
    const installation with = operate::open_installation(in.site);
    auto brokers = operate::open_brokers(with.parts, given.broker);
    dead_letter_filter filter = to_filter(given);
    if (!given.id.empty())
        operate::narrow(brokers, filter, operate::the_one(find_letters(in, brokers, filter), given.id));
    const auto readers = what == letter_action::replay ? open_readers(in) : std::nullopt;
    operate::letter_change change{std::move(brokers), what, filter, readers ? &*readers : nullptr};
    if (change.count() > 0 && !given.yes) {
        const std::string amount = count_of(change.count(), "dead letter");
        require_consent(in, fmt::format("{} {}?", to_string(what), amount), what == letter_action::purge && given.all);
    }
    const operate::changed_letters outcome = change.apply();
    if (in.out.json()) {
        in.out.print_json(to_json(outcome));
    } else {
        const char* const done = what == letter_action::replay ? "handed back to the group that failed" : "deleted";
        in.out.print(fmt::format("{} {}", count_of(outcome.changed, "dead letter"), done));
    }
    for (const left_letters& each : outcome.left) in.out.warn(safe_lines(to_text(each)));
    return outcome.left.empty() ? exit_code::ok : exit_code::failed;
}

exit_code replay(const session& in, const dlq_arguments& given) {
    return change_letters(in, given, letter_action::replay);
}

exit_code purge(const session& in, const dlq_arguments& given) {
    return change_letters(in, given, letter_action::purge);
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
