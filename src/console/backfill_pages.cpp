#include <fmt/format.h>

#include <cmath>
#include <utility>

#include "console/backfill_order.hpp"
#include "console/console.hpp"
#include "console/layout.hpp"
#include "console/widgets.hpp"

namespace sluice::console {

namespace {

using operate::located_backfill;
using store::backfill_state;

constexpr std::size_t most_backfills = 100;

markup progress_of(const located_backfill& each) {
    const store::backfill& what = each.what;
    const auto label = fmt::format("backfill of {} in {}", what.order.broker, each.database);
    const auto whole = what.upto - what.order.after;
    const auto done = what.position - what.order.after;
    markup numbers = faint(fmt::format("{} of {} numbers", amount(done), amount(whole)));
    if (!store::holds_back(what.state) || whole == 0) return numbers;
    return progress_bar(done, whole, label) + " " + numbers;
}

markup state_of(const store::backfill& what) {
    if (what.waits && what.state == backfill_state::running) {
        return badge(tone::caution, "waits") + " " + faint("for transactions that ran when it was ordered");
    }
    return state_badge(store::to_string(what.state));
}

markup chosen_by(const store::backfill_order& order) {
    markup all;
    for (const std::string& each : order.types) all += code(each) + " ";
    for (const std::string& each : order.streams) all += code(each) + " ";
    return all;
}

markup buttons_for(const visit& of, const store::backfill& what) {
    if (!store::holds_back(what.state)) return faint("–");
    const auto to = [&](const backfill_change& change) {
        return target(path_in(of, {"backfills", what.order.broker, change.word}));
    };
    const auto press = [&](const backfill_change& change, tone how) {
        return button(std::string{change.title} + " " + what.order.broker, how, to(change));
    };
    const bool rests = what.state == backfill_state::paused;
    const backfill_change& first = rests ? resume_backfill : pause_backfill;
    return change_form(to(first), of.form_token,
                       press(first, rests ? tone::good : tone::caution) + press(cancel_backfill, tone::bad));
}

markup show_list(const console& in, const visit& of) {
    table list{"Backfills, newest first"};
    list.column("Broker").column("Database").column("State").column("Progress");
    list.column("Events given", true).column("Rate", true).column("What").column("Begun");
    if (may_act(of)) list.column("Action");
    for (const auto& each : operate::list_backfills(of.where->with(), of.query.get("broker"), most_backfills)) {
        const store::backfill& what = each.what;
        std::vector<markup> cells{
            what.order.broker,
            each.database,
            state_of(what),
            progress_of(each),
            amount(what.given),
            what.order.rate > 0 ? markup{amount(std::llround(what.order.rate)) + "/s"} : faint("any"),
            chosen_by(what.order),
            time_ago(what.begun_at, in.now())};
        if (may_act(of)) cells.push_back(buttons_for(of, what));
        list.row(std::move(cells));
    }
    return list.render("No broker was given events of before.");
}

markup order_form(const visit& of, const std::vector<std::string>& brokers) {
    std::vector<std::pair<std::string, std::string>> choice;
    choice.reserve(brokers.size());
    for (const std::string& each : brokers) choice.emplace_back(each, each);
    return change_form(
        target(path_in(of, {"backfills"})), of.form_token,
        choice_field("broker", "Broker", choice, of.query.get("broker")) +
            text_field("since", "Created from", "", "2026-11-29 or 2026-11-29T08:00:00Z; else from the first.") +
            text_field("first", "Or from number", "", "In the log of the database below.", "number") +
            text_field("types", "Events", "", "OrderShipped, Shop.Order*, with blanks between; else all.") +
            text_field("streams", "Streams", "", "shop::order-o-1 or shop::order; else all.") +
            text_field("database", "Database", "", "Else each that has such events.") +
            text_field("rate", "Events per second", "", "In each database; else as fast as the lane can.", "number") +
            button("Order it", tone::good));
}

markup order_panel(const visit& of) {
    if (!may_act(of)) return why_no_actions(of);
    if (of.where->declared() == nullptr) return faint(of.where->why_undeclared());
    const auto& brokers = of.where->with().configuration.outbox.external_brokers;
    if (brokers.empty()) return faint("There is no external broker.");
    return order_form(of, brokers);
}

http::http_answer show_backfills(const console& in, const visit& of) {
    markup content = panel("Backfills", show_list(in, of), "backfills");
    content += panel("Give a broker events of before it was there", order_panel(of));
    return page(in, of, {.title = "Backfills", .section = "backfills", .content = content, .is_live = true});
}

http::http_answer begin_backfill(console& in, const visit& of) {
    const std::string back = target(path_in(of, {"backfills"}));
    const auto asked = backfill_asked_for(of.form);
    if (of.form.get("confirmed") != "yes") {
        return ask(in, of, "backfills",
                   {.title = fmt::format("Give {} events of before?", asked.broker),
                    .text = fmt::format("It gets {}, in the order of the log. Until then what is newer waits for it.",
                                        to_text(asked)),
                    .to = of.request.path,
                    .fields = of.form,
                    .agree = "Order it",
                    .cancel = back});
    }
    const auto begun =
        operate::begin_backfill(of.where->require_declared().env->domain(), of.where->with(), asked, in.now());
    in.record(of, "backfills.begin", asked.broker + ": " + to_text(asked), begun.size());
    return tell(in, of, "backfills", "Ordered",
                fmt::format("{} gets {}. The page of the backfills shows how far it is.", asked.broker, to_text(asked)),
                back);
}

http::http_answer change_backfill(console& in, const visit& of, const backfill_change& change) {
    const std::string& broker = of.at("broker");
    const std::string back = target(path_in(of, {"backfills"}));
    if (of.form.get("confirmed") != "yes") {
        return ask(in, of, "backfills",
                   {.title = fmt::format("{} the backfill of {}?", change.title, broker),
                    .text = change.meaning,
                    .to = of.request.path,
                    .fields = of.form,
                    .agree = change.title,
                    .cancel = back,
                    .is_loss = change.after == backfill_state::cancelled});
    }
    const auto changed = operate::change_backfill(of.where->with(), broker, change.after, std::nullopt, in.now());
    in.record(of, std::string{"backfills."} + change.word, broker, changed.size());
    return tell(in, of, "backfills", change.title,
                fmt::format("The backfill of {} is now {}.", broker, store::to_string(change.after)), back);
}

}  // namespace

void add_backfill_pages(router& to, console& of) {
    const std::string path = "/console/contexts/{context}/backfills";
    to.add({.method = "GET", .path = path, .answer = [&of](const visit& by) { return show_backfills(of, by); }});
    to.add({.method = "POST", .path = path, .needs = console_role::operating, .answer = [&of](const visit& by) {
                return begin_backfill(of, by);
            }});
    for (const backfill_change& change : backfill_changes) {
        to.add({.method = "POST",
                .path = path + "/{broker}/" + change.word,
                .needs = console_role::operating,
                .answer = [&of, &change](const visit& by) { return change_backfill(of, by, change); }});
    }
}

}  // namespace sluice::console
