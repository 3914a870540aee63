#include "console/interface.hpp"

#include <algorithm>
#include <utility>

#include "console/openapi.hpp"
#include "domain/json_schema.hpp"
#include "operate/backfills.hpp"
#include "operate/concerns.hpp"
#include "operate/dead_letters.hpp"
#include "operate/domain_view.hpp"
#include "operate/event_trace.hpp"
#include "operate/outbox_rows.hpp"
#include "operate/pages.hpp"
#include "operate/processes.hpp"
#include "operate/read_models.hpp"
#include "operate/request_error.hpp"
#include "operate/settings.hpp"

namespace sluice::console {

namespace {

constexpr std::size_t usual_limit = 50;
constexpr std::size_t most_limit = 500;

std::size_t limit_of(const visit& of) { return number_in(of.query.get("limit"), "limit", usual_limit, most_limit); }

/// A payload below a key, as the visitor sees it.
void hide(const console& in, const visit& of, json::value& object, std::string_view key) {
    if (!object.is_object()) return;
    if (json::value* const found = object.as_object().find(key))
        *found = in.hides().shown(std::move(*found), of.who.role);
}

http::http_answer give_session(const visit& of) {
    return json_answer(json::object{{"user", of.who.name.empty() ? json::value{} : json::value{of.who.name}},
                                    {"role", config::to_string(of.who.role)},
                                    {"by", to_string(of.who.by)},
                                    {"csrf_token", of.form_token}});
}

http::http_answer give_contexts(const console& in) {
    json::array all;
    for (const auto& each : in.contexts()) {
        all.push_back(json::object{{"name", each->name()}, {"knows_domain", each->declared() != nullptr}});
    }
    return json_answer(json::object{{"contexts", std::move(all)}});
}

http::http_answer give_concerns(const visit& of) {
    json::array all;
    for (const auto& each : operate::concerns_of(*of.where->board().look())) all.push_back(operate::to_json(each));
    return json_answer(json::object{{"concerns", std::move(all)}});
}

http::http_answer give_samples(const visit& of) {
    json::array all;
    for (const lane_sample& each : of.where->board().samples_of(of.at("database"), of.at("broker"))) {
        all.push_back(json::object{{"at", each.at.to_string()}, {"depth", each.depth}, {"rate", each.rate}});
    }
    return json_answer(json::object{{"samples", std::move(all)}});
}

template <class Element>
http::http_answer paged(json::array elements, const char* name, const operate::page<Element>& of) {
    return json_answer(json::object{{name, std::move(elements)},
                                    {"next", of.has_more ? json::value{operate::to_text(of.next)} : json::value{}}});
}

http::http_answer give_rows(const console& in, const visit& of) {
    store::outbox_filter filter;
    filter.target_broker = of.query.get("broker");
    if (!of.query.get("status").empty()) filter.status = operate::row_status_named(of.query.get("status"));
    filter.stream = of.query.get("stream");
    filter.type = of.query.get("type");
    filter.error = of.query.get("error");
    filter.message_id = of.query.get("message_id");
    constexpr std::size_t longest = 315'360'000;
    const std::size_t age = number_in(of.query.get("older_than_seconds"), "older_than_seconds", 0, longest);
    if (age > 0) filter.created_before = in.now() - std::chrono::seconds{age};
    filter.limit = limit_of(of);
    const auto found = operate::page_of_rows(operate::open_all(of.where->with().parts), filter,
                                             operate::position_from(of.query.get("from")));
    return paged(operate::to_json(found.elements), "rows", found);
}

http::http_answer give_events(const console& in, const visit& of) {
    store::event_filter filter;
    filter.stream = of.query.get("stream");
    filter.type = of.query.get("type");
    filter.correlation_id = of.query.get("correlation_id");
    filter.created_from = time_in(of.query.get("created_from"), "created_from");
    filter.created_before = time_in(of.query.get("created_before"), "created_before");
    filter.limit = limit_of(of);
    const auto found = operate::page_of_events(operate::open_all(of.where->with().parts), filter,
                                               operate::position_from(of.query.get("from")));
    json::array list = operate::to_json(found.elements);
    for (json::value& each : list) {
        hide(in, of, each, "data");
        hide(in, of, each, "metadata");
    }
    return paged(std::move(list), "events", found);
}

http::http_answer give_message(const console& in, const visit& of) {
    json::value found = operate::to_json(operate::read_message(of.where->with(), of.at("id"), true));
    for (const char* each : {"data", "metadata", "envelope"}) hide(in, of, found, each);
    if (json::value* const envelopes = found.as_object().find("envelopes")) {
        for (json::value& each : envelopes->as_array()) {
            hide(in, of, each, "envelope");
            if (!in.hides().sees_payloads(of.who.role)) each.as_object().erase("headers");
        }
    }
    return json_answer(found);
}

http::http_answer give_trace(const visit& of) {
    constexpr std::size_t usual = 10'000;
    constexpr std::size_t most = 1'000'000;
    const std::size_t numbers = number_in(of.query.get("numbers"), "numbers", usual, most);
    const auto trace = operate::read_trace_near(operate::open_all(of.where->with().parts), of.at("id"),
                                                {.numbers = static_cast<store::sequence>(numbers)});
    return json_answer(operate::to_json(trace, operate::trace_part::all, of.at("id")));
}

/// The body is text; what is no text may hold anything.
json::value shown_letter(const console& in, const visit& of, const operate::located_letter& letter) {
    json::value shown = operate::to_json(letter);
    const bool is_text = !shown.at("body").is_null();
    if (is_text) {
        shown.as_object().set("body", in.hides().shown_text(letter.letter.body, of.who.role));
    } else if (in.hides().shown_text(letter.letter.body, of.who.role) != letter.letter.body) {
        shown.as_object().set("body_base64", redaction::mark);
    }
    return shown;
}

http::http_answer give_letters(const console& in, const visit& of) {
    const auto view = operate::find_letters(
        operate::open_brokers(of.where->with().parts, of.query.get("broker")),
        {.stream = of.query.get("stream"), .group = of.query.get("group"), .limit = limit_of(of)});
    json::array all;
    for (const auto& each : view.letters) all.push_back(shown_letter(in, of, each));
    json::array away;
    for (const auto& each : view.away) away.push_back(operate::to_json(each));
    return json_answer(json::object{{"dead_letters", std::move(all)}, {"unavailable", std::move(away)}});
}

http::http_answer give_letter(const console& in, const visit& of) {
    const auto view =
        operate::find_letters(operate::open_brokers(of.where->with().parts, of.at("broker")), {.id = of.at("id")});
    return json_answer(shown_letter(in, of, operate::the_one(view, of.at("id"))));
}

http::http_answer give_processes(const visit& of) {
    const auto& declared = of.where->require_declared();
    return json_answer(operate::to_json(operate::page_of_processes(
        declared.env->domain(), of.where->with(),
        {.process = of.query.get("process"), .open_only = of.query.get("state") == "open", .limit = limit_of(of)},
        of.query.get("from"))));
}

http::http_answer give_process(const console& in, const visit& of) {
    const auto& declared = of.where->require_declared();
    json::value found = operate::to_json(operate::read_process(declared.env->domain(), of.where->with(),
                                                               of.at("process"), of.at("correlation"), limit_of(of)));
    hide(in, of, found, "data");
    for (json::value& each : found.as_object().find("history")->as_array()) hide(in, of, each, "data");
    return json_answer(found);
}

http::http_answer give_contracts(const visit& of) {
    const auto& declared = of.where->require_declared();
    const detail::registry& domain = declared.env->domain();
    json::object schemas;
    for (const auto& [cpp_name, entry] : domain.events) {
        if (entry.fields != nullptr) schemas.append(entry.type, detail::json_schema(*entry.fields));
    }
    return json_answer(json::object{{"domain", operate::to_json(operate::view_domain(domain, declared.routes))},
                                    {"schemas", std::move(schemas)}});
}

http::http_answer give_actions(const std::vector<audit_entry>& entries) {
    json::array all;
    for (const audit_entry& each : entries) all.push_back(to_json(each));
    return json_answer(json::object{{"actions", std::move(all)}});
}

void add_look(router& to, std::string path, std::string name, std::string purpose, std::vector<parameter> reads,
              std::function<http::http_answer(visit&)> answer) {
    if (path.starts_with(in_context(""))) reads.insert(reads.begin(), path_parameter("context", "of /api/v1/contexts"));
    to.add({.method = "GET",
            .path = std::move(path),
            .answer = std::move(answer),
            .name = std::move(name),
            .purpose = std::move(purpose),
            .parameters = std::move(reads)});
}

parameter page_limit() {
    return query_parameter("limit", "how many, at most 500; 50 when nothing is said", parameter::kind::whole);
}
parameter page_begin() { return query_parameter("from", "`next` of the page before"); }

void add_common(router& to, console& of) {
    add_look(to, "/api/v1/openapi.json", "read_openapi", "This document", {},
             [&of](const visit&) { return json_answer(openapi_document(of.routes().routes())); });
    add_look(to, "/api/v1/session", "read_session", "Who asks, and the token for changes", {},
             [](const visit& by) { return give_session(by); });
    add_look(to, "/api/v1/contexts", "list_contexts", "What the console shows", {},
             [&of](const visit&) { return give_contexts(of); });
    add_look(to, "/api/v1/actions", "list_actions", "What people did with this console, newest first", {page_limit()},
             [&of](const visit& by) { return give_actions(of.audit().latest(limit_of(by))); });
    add_look(to, in_context("/status"), "read_status", "Lanes, subscriptions and what is left behind", {},
             [](const visit& by) { return json_answer(operate::to_json(*by.where->board().look())); });
    add_look(to, in_context("/concerns"), "list_concerns", "What needs a person, most urgent first", {},
             [](const visit& by) { return give_concerns(by); });
    add_look(to, in_context("/lanes/{database}/{broker}/samples"), "list_samples",
             "Depth and rate of a lane in the last hour, oldest first",
             {path_parameter("database", "configured name"), path_parameter("broker", "configured name")},
             [](const visit& by) { return give_samples(by); });
    add_look(to, in_context("/configuration"), "read_configuration", "Every key with the value that holds", {},
             [](const visit& by) { return json_answer(operate::to_json(by.where->settings())); });
    add_look(to, in_context("/contracts"), "read_contracts", "What the domain declares, with JSON Schemas of events",
             {}, [](const visit& by) { return give_contracts(by); });
    add_look(to, in_context("/read-models"), "list_read_models", "Read models and rebuilds under way", {},
             [](const visit& by) { return json_answer(operate::to_json(by.where->read_models())); });
}

void add_messages(router& to, console& of) {
    add_look(
        to, in_context("/rows"), "list_rows", "Outbox rows, newest first",
        {query_parameter("broker", "configured name"),
         query_parameter("status", "of the row", parameter::kind::text,
                         {"pending", "processing", "published", "failed", "abandoned"}),
         query_parameter("stream", "of one aggregate, or a category"), query_parameter("message_id", "of one message"),
         query_parameter("type", "of the event, with its version or without"),
         query_parameter("error", "a part of the last one"),
         query_parameter("older_than_seconds", "written longer ago", parameter::kind::whole), page_limit(),
         page_begin()},
        [&of](const visit& by) { return give_rows(of, by); });
    add_look(to, in_context("/messages/{id}"), "read_message", "A message with its rows and what partners get",
             {path_parameter("id", "of the message")}, [&of](const visit& by) { return give_message(of, by); });
    add_look(to, in_context("/messages/{id}/trace"), "read_trace", "What caused it, and what it caused",
             {path_parameter("id", "of a message"),
              query_parameter("numbers", "how far before and after it the log is read; 10000 when nothing is said",
                              parameter::kind::whole)},
             [](const visit& by) { return give_trace(by); });
    add_look(to, in_context("/events"), "list_events", "Events of the log, newest first",
             {query_parameter("stream", "of one aggregate, or a category"), query_parameter("type", "with its version"),
              query_parameter("correlation_id", "reads all that the rest lets through"),
              query_parameter("created_from", "2026-11-29 or 2026-11-29T08:00:00Z"),
              query_parameter("created_before", "of the same form"), page_limit(), page_begin()},
             [&of](const visit& by) { return give_events(of, by); });
    add_look(to, in_context("/backfills"), "list_backfills",
             "Backfills and how far they are, of each database newest first",
             {query_parameter("broker", "configured name"), page_limit()}, [](const visit& by) {
                 return json_answer(
                     operate::to_json(operate::list_backfills(by.where->with(), by.query.get("broker"), limit_of(by))));
             });
    add_look(to, in_context("/dead-letters"), "list_dead_letters", "Dead letters, newest first",
             {query_parameter("broker", "configured name"), query_parameter("stream", "where they come from"),
              query_parameter("group", "that gave up"), page_limit()},
             [&of](const visit& by) { return give_letters(of, by); });
    add_look(to, in_context("/dead-letters/{broker}/{id}"), "read_dead_letter", "A dead letter with its body",
             {path_parameter("broker", "configured name"), path_parameter("id", "of the letter")},
             [&of](const visit& by) { return give_letter(of, by); });
    add_look(to, in_context("/processes"), "list_processes", "Instances of process managers",
             {query_parameter("process", "name of the process manager"),
              query_parameter("state", "open ones only", parameter::kind::text, {"open"}), page_limit(), page_begin()},
             [](const visit& by) { return give_processes(by); });
    add_look(to, in_context("/processes/{process}/{correlation}"), "read_process", "An instance with its steps",
             {path_parameter("process", "name of the process manager"),
              path_parameter("correlation", "of the instance"), page_limit()},
             [&of](const visit& by) { return give_process(of, by); });
}

}  // namespace

std::string in_context(std::string_view rest) { return "/api/v1/contexts/{context}" + std::string{rest}; }

parameter path_parameter(std::string name, std::string purpose) {
    return {.name = std::move(name), .in = parameter::place::path, .purpose = std::move(purpose), .required = true};
}

parameter query_parameter(std::string name, std::string purpose, parameter::kind what, std::vector<std::string> words) {
    return {.name = std::move(name), .what = what, .purpose = std::move(purpose), .words = std::move(words)};
}

parameter body_parameter(std::string name, std::string purpose, parameter::kind what, bool required) {
    return {.name = std::move(name),
            .in = parameter::place::body,
            .what = what,
            .purpose = std::move(purpose),
            .required = required};
}

void add_interface(router& to, console& of) {
    add_common(to, of);
    add_messages(to, of);
    add_interface_actions(to, of);
}

}  // namespace sluice::console
