#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <string_view>
#include <tuple>
#include <utility>

#include "base/base64.hpp"
#include "base/one_line.hpp"
#include "base/utf8.hpp"
#include "console/console.hpp"
#include "console/layout.hpp"
#include "console/letter_choice.hpp"
#include "console/widgets.hpp"

namespace sluice::console {

namespace {

using operate::letter_action;
using operate::letters_view;
using operate::located_letter;

constexpr std::size_t most_letters = 200;
constexpr std::size_t longest_reason = 300;

/// Letters that failed in the same way.
struct letter_group {
    std::string broker;
    std::string group;
    std::string stream;
    std::string code;
    std::string reason;                            ///< of the newest
    std::vector<const located_letter*> letters{};  ///< newest first
};

/// An error without what differs from message to message: ids and numbers.
std::string kind_of(std::string_view reason) {
    std::string kind;
    while (!reason.empty()) {
        const std::string_view word = reason.substr(0, reason.find(' '));
        reason.remove_prefix(std::min(reason.size(), word.size() + 1));
        const bool differs =
            word.find_first_of("0123456789") != std::string_view::npos || word.find("::") != std::string_view::npos;
        kind += differs ? "…" : word;
        kind += ' ';
    }
    return kind;
}

/// In the order of their newest letter.
std::vector<letter_group> grouped(const letters_view& view) {
    std::vector<letter_group> groups;
    std::map<std::tuple<std::string, std::string, std::string, std::string, std::string>, std::size_t> index;
    for (const located_letter& each : view.letters) {
        const auto& letter = each.letter;
        const std::string reason = base::one_line(letter.reason, longest_reason);
        const auto [at, is_new] = index.emplace(
            std::tuple{each.broker, letter.group, letter.stream, letter.code, kind_of(reason)}, groups.size());
        if (is_new) groups.push_back({each.broker, letter.group, letter.stream, letter.code, reason});
        groups[at->second].letters.push_back(&each);
    }
    return groups;
}

markup action_buttons(const visit& of, const letter_choice& about, std::string_view what) {
    if (!may_act(of)) return {};
    const auto to = [&](const char* action) { return target(path_in(of, {"dead-letters", action})); };
    markup fields = hidden_field("broker", about.broker) + hidden_field("stream", about.stream) +
                    hidden_field("group", about.group) + hidden_field("id", about.id);
    fields += element("div", {{"class", "buttons"}},
                      button(fmt::format("Replay {}", what), tone::good, to("replay")) +
                          button(fmt::format("Delete {}", what), tone::bad, to("purge")));
    return change_form(to("replay"), of.form_token, fields);
}

markup show_group(const visit& of, const letter_group& group, date_time now) {
    constexpr std::size_t most_shown = 10;
    table list{fmt::format("Dead letters of {}", group.group)};
    list.column("Id").column("Failed").column("Attempts", true).column("Consumer");
    for (std::size_t i = 0; i < group.letters.size() && i < most_shown; ++i) {
        const auto& letter = group.letters[i]->letter;
        list.row({link(target(path_in(of, {"dead-letters", group.broker, letter.id})), letter.id),
                  time_ago(letter.failed_at, now), letter.attempts, letter.consumer});
    }
    markup content = facts({{"Group", code(group.group)},
                            {"Stream", code(group.stream)},
                            {"Broker", group.broker},
                            {"Error", badge(tone::bad, group.code) + " " + group.reason}});
    content += list.render("");
    if (group.letters.size() > most_shown) {
        content += paragraph(faint(fmt::format("and {} more", group.letters.size() - most_shown)));
    }
    content += action_buttons(of, {.broker = group.broker, .stream = group.stream, .group = group.group},
                              "all of this group and stream");
    return panel(count_of(static_cast<std::int64_t>(group.letters.size()), "message"), content);
}

http::http_answer show_letters(const console& in, const visit& of) {
    const auto brokers = operate::open_brokers(of.where->with().parts, of.query.get("broker"));
    const letters_view view = operate::find_letters(
        brokers, {.stream = of.query.get("stream"), .group = of.query.get("group"), .limit = most_letters});
    std::vector<std::pair<std::string, std::string>> words{{"", "any"}};
    for (const auto& [name, settings] : of.where->with().configuration.brokers) words.emplace_back(name, name);
    markup content = search_form(target(path_in(of, {"dead-letters"})),
                                 choice_field("broker", "Broker", words, of.query.get("broker")) +
                                     text_field("group", "Group", of.query.get("group")) +
                                     text_field("stream", "Stream", of.query.get("stream")));
    for (const operate::outage& each : view.away) {
        content += notice(tone::bad, each.subject() + " does not answer.", each.reason);
    }
    if (view.letters.empty()) content += notice(tone::good, "", "No dead letters.");
    for (const letter_group& each : grouped(view)) content += show_group(of, each, in.now());
    if (view.letters.size() == most_letters) {
        content +=
            paragraph(faint(fmt::format("The newest {} are shown; filter to see others. Actions mean all of "
                                        "the group and stream.",
                                        most_letters)));
    }
    content += why_no_actions(of);
    return page(in, of, {.title = "Dead letters", .section = "dead-letters", .content = content});
}

http::http_answer show_letter(const console& in, const visit& of) {
    const auto brokers = operate::open_brokers(of.where->with().parts, of.at("broker"));
    const letters_view view = operate::find_letters(brokers, {.id = of.at("id")});
    const located_letter& found = operate::the_one(view, of.at("id"));
    const auto& letter = found.letter;
    const std::string body = base::is_utf8(letter.body) || !in.hides().sees_payloads(of.who.role)
                                 ? letter.body
                                 : "base64: " + base::base64_encode(letter.body);
    markup content = facts({{"Group", code(letter.group)},
                            {"Stream", code(letter.stream)},
                            {"Broker", found.broker},
                            {"Entry", code(letter.original_entry)},
                            {"Consumer", letter.consumer},
                            {"Failed", time_ago(letter.failed_at, in.now())},
                            {"Attempts", letter.attempts},
                            {"Error", badge(tone::bad, letter.code) + " " + letter.reason}});
    content += panel("Body", code_block(in.hides().shown_text(body, of.who.role)));
    content += action_buttons(of, {.broker = found.broker, .id = letter.id}, "this one") + why_no_actions(of);
    return page(in, of, {.title = "Dead letter", .section = "dead-letters", .content = content});
}

markup outcome_text(const operate::changed_letters& outcome, letter_action what) {
    markup text = fmt::format("{} {}.", count_of(static_cast<std::int64_t>(outcome.changed), "dead letter"),
                              what == letter_action::replay ? "handed back to the group that failed" : "deleted");
    for (const operate::left_letters& each : outcome.left) {
        text += paragraph(fmt::format("Left on {}{}: {}", each.broker,
                                      each.what.stream.empty() ? "" : " in " + each.what.stream, each.what.reason));
    }
    return text;
}

http::http_answer change_letters(console& in, const visit& of, letter_action what) {
    const letter_choice choice{.broker = of.form.get("broker"),
                               .stream = of.form.get("stream"),
                               .group = of.form.get("group"),
                               .id = of.form.get("id")};
    operate::letter_change change = change_of(*of.where, what, choice);
    const std::string back = target(path_in(of, {"dead-letters"}));
    const bool is_loss = what == letter_action::purge;
    if (of.form.get("confirmed") != "yes") {
        return ask(in, of, "dead-letters",
                   {.title = fmt::format("{} {}?", is_loss ? "Delete" : "Replay",
                                         count_of(static_cast<std::int64_t>(change.count()), "dead letter")),
                    .text = fmt::format("{}: {}.",
                                        is_loss ? "They are deleted, and nothing brings them back"
                                                : "The group that failed gets them again, as if new",
                                        to_text(choice)),
                    .to = of.request.path,
                    .fields = of.form,
                    .agree = is_loss ? "Delete" : "Replay",
                    .cancel = back,
                    .is_loss = is_loss});
    }
    const operate::changed_letters outcome = change.apply();
    in.record(of, std::string{"dead_letters."} + to_string(what), to_text(choice), outcome.changed);
    return tell(in, of, "dead-letters", is_loss ? "Deleted" : "Replayed", outcome_text(outcome, what), back);
}

}  // namespace

void add_letter_pages(router& to, console& of) {
    const std::string path = "/console/contexts/{context}/dead-letters";
    to.add({.method = "GET", .path = path, .answer = [&of](const visit& by) { return show_letters(of, by); }});
    to.add({.method = "GET", .path = path + "/{broker}/{id}", .answer = [&of](const visit& by) {
                return show_letter(of, by);
            }});
    to.add({.method = "POST",
            .path = path + "/replay",
            .needs = console_role::operating,
            .answer = [&of](const visit& by) { return change_letters(of, by, letter_action::replay); }});
    to.add(
        {.method = "POST", .path = path + "/purge", .needs = console_role::operating, .answer = [&of](const visit& by) {
             return change_letters(of, by, letter_action::purge);
         }});
}

}  // namespace sluice::console
