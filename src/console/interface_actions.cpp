#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/one_line.hpp"
#include "console/backfill_order.hpp"
#include "console/interface.hpp"
#include "console/letter_choice.hpp"
#include "console/row_choice.hpp"
#include "operate/commands.hpp"
#include "operate/lane_pauses.hpp"
#include "operate/outbox_rows.hpp"
#include "operate/request_error.hpp"

namespace sluice::console {

namespace {

using operate::letter_action;
using operate::row_action;

/// Refuses members that the route does not name: a slip in a filter must not make it wider.
/// @throws request_error
void require_known(const visit& of, const std::vector<parameter>& reads) {
    if (of.body.is_null()) return;
    for (const auto& [name, value] : of.body.as_object()) {
        const bool is_known = std::ranges::any_of(reads, [&, &called = name](const parameter& each) {
            return each.in == parameter::place::body && each.name == called;
        });
        if (!is_known)
            throw operate::wrong_request(fmt::format("the body has an unknown member `{}`", base::one_line(name, 60)));
    }
}

bool flag_in(const visit& of, std::string_view name) {
    const json::value* const found = member_in(of.body, name);
    return found != nullptr && found->as_bool();
}

row_choice rows_in(const visit& of, date_time now) {
    row_choice choice;
    choice.filter.target_broker = text_in(of.body, "broker");
    if (const std::string status = text_in(of.body, "status"); !status.empty()) {
        choice.filter.status = operate::row_status_named(status);
    }
    choice.filter.stream = text_in(of.body, "stream");
    choice.filter.message_id = text_in(of.body, "message_id");
    choice.filter.type = text_in(of.body, "type");
    choice.filter.error = text_in(of.body, "error");
    if (const json::value* const age = member_in(of.body, "older_than_seconds")) {
        choice.filter.created_before = now - std::chrono::seconds{age->as_int()};
    }
    if (const json::value* const picked = member_in(of.body, "rows")) {
        for (const json::value& each : picked->as_array()) {
            choice.picked.push_back({each.at("target_broker").as_string(), each.at("message_id").as_string()});
        }
        if (choice.picked.empty()) throw operate::wrong_request("rows is empty: say which rows");
    }
    choice.all = flag_in(of, "all");
    choice.reason = text_in(of.body, "reason");
    return choice;
}

json::value dry_run(std::size_t count) { return json::object{{"matching", count}, {"changed", 0}}; }

http::http_answer do_change_rows(console& in, const visit& of, row_action what) {
    const row_choice choice = rows_in(of, in.now());
    chosen_rows chosen{of.where->with(), what, choice};
    if (flag_in(of, "dry_run")) return json_answer(dry_run(chosen.count()));
    const operate::rows_outcome outcome = chosen.apply();
    in.record(of, std::string{"rows."} + to_string(what),
              to_text(choice) + (choice.reason.empty() ? "" : "; " + choice.reason), outcome.changed);
    return json_answer(operate::to_json(outcome));
}

http::http_answer do_change_letters(console& in, const visit& of, letter_action what) {
    const letter_choice choice{.broker = text_in(of.body, "broker"),
                               .stream = text_in(of.body, "stream"),
                               .group = text_in(of.body, "group"),
                               .id = text_in(of.body, "id"),
                               .all = flag_in(of, "all")};
    operate::letter_change change = change_of(*of.where, what, choice);
    if (flag_in(of, "dry_run")) return json_answer(dry_run(change.count()));
    const operate::changed_letters outcome = change.apply();
    in.record(of, std::string{"dead_letters."} + to_string(what), to_text(choice), outcome.changed);
    return json_answer(operate::to_json(outcome));
}

http::http_answer do_pause(console& in, const visit& of) {
    const std::string reason = text_in(of.body, "reason");
    const auto order = operate::pause_lanes(of.where->with(), of.at("broker"), reason, in.now());
    in.record(of, "lanes.pause", order.broker + (reason.empty() ? "" : ": " + reason), order.databases.size());
    return json_answer(operate::to_json(order));
}

http::http_answer do_resume(console& in, const visit& of) {
    const auto order = operate::resume_lanes(of.where->with(), of.at("broker"));
    in.record(of, "lanes.resume", order.broker, order.databases.size());
    return json_answer(operate::to_json(order));
}

http::http_answer do_begin_backfill(console& in, const visit& of) {
    const auto asked = backfill_asked_for(of.body);
    const auto begun =
        operate::begin_backfill(of.where->require_declared().env->domain(), of.where->with(), asked, in.now());
    in.record(of, "backfills.begin", asked.broker + ": " + to_text(asked), begun.size());
    return json_answer(operate::to_json(begun));
}

http::http_answer do_change_backfill(console& in, const visit& of, const backfill_change& change) {
    const std::string& broker = of.at("broker");
    const json::value* const given = member_in(of.body, "rate");
    const auto rate = given != nullptr ? std::optional{backfill_rate(*given)} : std::nullopt;
    const auto changed = operate::change_backfill(of.where->with(), broker, change.after, rate, in.now());
    in.record(of, std::string{"backfills."} + change.word,
              rate ? fmt::format("{}, {:.0f} a second", broker, *rate) : broker, changed.size());
    return json_answer(operate::to_json(changed));
}

http::http_answer do_rebuild(console& in, const visit& of) {
    of.where->begin_rebuild(of.at("name"));
    in.record(of, "read_models.rebuild", of.at("name"), 1);
    http::http_answer begun = json_answer(json::object{{"read_model", of.at("name")}, {"begun", true}});
    begun.status = 202;
    return begun;
}

http::http_answer do_send(console& in, const visit& of) {
    if (!in.settings().send_commands) {
        throw operate::conflict("commands_off", "commands are sent from here when console.send_commands is true");
    }
    operate::command_request request{.command = of.at("command"), .data = of.body.at("data")};
    if (const std::string key = text_in(of.body, "idempotency_key"); !key.empty()) request.idempotency_key = key;
    operate::require_command(of.where->require_declared().env->domain(), request.command);
    try {
        const auto answer = of.where->send(request, flag_in(of, "asynchronous"));
        in.record(of, "commands.send", request.command, 1);
        json::value shown = operate::to_json(answer);
        if (json::value* const result = shown.as_object().find("result")) {
            *result = in.hides().shown(std::move(*result), of.who.role);
        }
        return json_answer(shown);
    } catch (const error& e) {
        in.record(of, "commands.send", request.command, 0, e.what());
        throw;
    } catch (const std::exception& e) {  // of the handler
        in.record(of, "commands.send", request.command, 0, e.what());
        return problem(422, "handler_failed", e.what());
    }
}

void add_action(router& to, std::string path, std::string name, std::string purpose, std::vector<parameter> reads,
                const std::function<http::http_answer(visit&)>& answer) {
    reads.insert(reads.begin(), path_parameter("context", "of /api/v1/contexts"));
    const auto known = [reads](const visit& of) { require_known(of, reads); };
    to.add({.method = "POST",
            .path = std::move(path),
            .needs = console_role::operating,
            .answer =
                [known, answer](visit& of) {
                    known(of);
                    return answer(of);
                },
            .name = std::move(name),
            .purpose = std::move(purpose),
            .parameters = std::move(reads)});
}

std::vector<parameter> row_parameters() {
    using enum parameter::kind;
    return {body_parameter("broker", "configured name"),
            body_parameter("status", "of the rows"),
            body_parameter("stream", "of one aggregate, or a category"),
            body_parameter("message_id", "of one message"),
            body_parameter("type", "of the event, with its version or without"),
            body_parameter("error", "a part of the last one"),
            body_parameter("older_than_seconds", "written longer ago", whole),
            body_parameter("rows", "single ones, each with target_broker and message_id; at most 500", objects),
            body_parameter("all", "all of them, when nothing else is said", flag),
            body_parameter("reason", "of a discard, for those who find the rows"),
            body_parameter("dry_run", "only count them", flag)};
}

std::vector<parameter> letter_parameters() {
    using enum parameter::kind;
    return {body_parameter("broker", "configured name"),
            body_parameter("stream", "where they come from"),
            body_parameter("group", "that gave up"),
            body_parameter("id", "of one dead letter"),
            body_parameter("all", "all of every broker, when nothing else is said", flag),
            body_parameter("dry_run", "only count them", flag)};
}

}  // namespace

void add_interface_actions(router& to, console& of) {
    add_action(to, in_context("/rows/retry"), "retry_rows", "Give failed and abandoned rows a full new budget",
               row_parameters(), [&of](const visit& by) { return do_change_rows(of, by, row_action::retry); });
    add_action(to, in_context("/rows/discard"), "discard_rows", "Give up rows that wait: they are not sent",
               row_parameters(), [&of](const visit& by) { return do_change_rows(of, by, row_action::discard); });
    add_action(to, in_context("/dead-letters/replay"), "replay_dead_letters",
               "Hand dead letters back to the group that failed", letter_parameters(),
               [&of](const visit& by) { return do_change_letters(of, by, letter_action::replay); });
    add_action(to, in_context("/dead-letters/purge"), "purge_dead_letters", "Delete dead letters", letter_parameters(),
               [&of](const visit& by) { return do_change_letters(of, by, letter_action::purge); });
    add_action(to, in_context("/lanes/{broker}/pause"), "pause_lanes", "Send nothing more to a broker",
               {path_parameter("broker", "configured name"), body_parameter("reason", "for people")},
               [&of](const visit& by) { return do_pause(of, by); });
    add_action(to, in_context("/lanes/{broker}/resume"), "resume_lanes", "Go on after a pause",
               {path_parameter("broker", "configured name")}, [&of](const visit& by) { return do_resume(of, by); });
    add_action(to, in_context("/backfills"), "begin_backfill",
               "Give a broker published events of before it was there; newer ones wait for them",
               {body_parameter("broker", "one of outbox.external_brokers", parameter::kind::text, true),
                body_parameter("first", "from this number in the log on", parameter::kind::whole),
                body_parameter("since", "from the first event of then on: 2026-11-29 or 2026-11-29T08:00:00Z"),
                body_parameter("types", "only these events: OrderShipped, Shop.Order*", parameter::kind::texts),
                body_parameter("streams", "only of these streams or categories", parameter::kind::texts),
                body_parameter("database", "only of this one"),
                body_parameter("rate", "events per second in each database", parameter::kind::whole)},
               [&of](const visit& by) { return do_begin_backfill(of, by); });
    for (const backfill_change& change : backfill_changes) {
        std::vector<parameter> reads{path_parameter("broker", "configured name")};
        if (change.after == store::backfill_state::running) {
            reads.push_back(body_parameter("rate", "events per second from now on", parameter::kind::whole));
        }
        add_action(to, in_context("/backfills/{broker}/") + change.word, std::string{change.word} + "_backfill",
                   change.meaning, std::move(reads),
                   [&of, &change](const visit& by) { return do_change_backfill(of, by, change); });
    }
    add_action(to, in_context("/read-models/{name}/rebuild"), "rebuild_read_model",
               "Begin to build a read model anew from the event log; /read-models shows how far it is",
               {path_parameter("name", "of the read model")}, [&of](const visit& by) { return do_rebuild(of, by); });
    add_action(
        to, in_context("/commands/{command}"), "send_command", "Run a command of the domain",
        {path_parameter("command", "its name"), body_parameter("data", "its fields", parameter::kind::object, true),
         body_parameter("idempotency_key", "repeating it gives the first outcome"),
         body_parameter("asynchronous", "only write it down; the engine runs it", parameter::kind::flag)},
        [&of](const visit& by) { return do_send(of, by); });
}

}  // namespace sluice::console
