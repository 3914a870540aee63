#include <fmt/format.h>

#include <algorithm>

#include "cli/commands/commands.hpp"
#include "cli/terminal/table.hpp"
#include "operate/json_forms.hpp"

namespace sluice::cli {

namespace {

using sluice::detail::field_schema;

json::array as_json(const std::vector<field_schema>& fields) {
    json::array list;
    for (const field_schema& each : fields) {
        json::object field{{"name", each.name}, {"kind", each.kind}, {"required", each.required}};
        if (each.max_length != 0) field.set("max_length", each.max_length);
        if (each.digits) field.set("digits", *each.digits);
        if (!each.words.empty()) field.set("one_of", json::array(each.words.begin(), each.words.end()));
        if (!each.fields.empty()) field.set("fields", as_json(each.fields));
        list.push_back(std::move(field));
    }
    return list;
}

const char* kept_as(const sluice::detail::aggregate_entry& aggregate) {
    if (aggregate.sourcing) return "events";
    return aggregate.decode == nullptr ? "elsewhere" : "state";
}

json::array as_json(const commit::environment& env) {
    json::array list;
    const auto& domain = env.domain();
    for (const auto& [cpp_name, aggregate] : domain.aggregates) {
        json::array events;
        for (const auto& [event_name, event] : domain.events) {
            if (event.aggregate != cpp_name) continue;
            events.push_back(
                json::object{{"name", event.name},
                             {"type", event.type},
                             {"version", event.version},
                             {"published", event.published},
                             {"fields", event.fields == nullptr ? json::array{} : as_json(event.fields())}});
        }
        json::array commands;
        for (const auto& [command_name, command] : domain.commands) {
            if (command.aggregate != cpp_name) continue;
            commands.push_back(json::object{{"name", command.name},
                                            {"type", command.type},
                                            {"handler", command.handler},
                                            {"fields", as_json(command.fields())}});
        }
        list.push_back(json::object{{"name", aggregate.name},
                                    {"class", cpp_name},
                                    {"stream", aggregate.category},
                                    {"database", aggregate.database},
                                    {"kept_as", kept_as(aggregate)},
                                    {"commands", std::move(commands)},
                                    {"events", std::move(events)}});
    }
    return list;
}

json::array as_json(const std::vector<consume::route>& routes) {
    json::array list;
    for (const consume::route& each : routes) {
        list.push_back(json::object{{"name", each.name},
                                    {"group", each.group},
                                    {"broker", each.broker},
                                    {"streams", json::array(each.streams.begin(), each.streams.end())}});
    }
    return list;
}

std::string limits_of(const field_schema& field) {
    std::string text;
    if (field.max_length != 0) text = fmt::format("at most {} characters", field.max_length);
    if (field.digits) text = fmt::format("{} digits after the point", *field.digits);
    for (const std::string& word : field.words) text += (text.empty() ? "one of " : ", ") + word;
    return text;
}

void add_fields(table& listing, const std::string& owner, const std::string& before,
                const std::vector<field_schema>& fields) {
    for (const field_schema& each : fields) {
        const std::string name = before + each.name;
        listing.add({owner, name, each.kind, each.required ? "yes" : "", limits_of(each)});
        const bool is_list = each.kind != "struct";
        add_fields(listing, owner, name + (is_list ? "[]." : "."), each.fields);
    }
}

void print(const session& in, const declared_installation& described) {
    const auto& domain = described.env->domain();
    in.out.print(safe_lines(fmt::format("domain {}", domain.name)));
    table aggregates{{{"AGGREGATE"}, {"STREAM"}, {"DATABASE"}, {"KEPT AS"}}};
    for (const auto& [cpp_name, each] : domain.aggregates) {
        aggregates.add({each.name, each.category, each.database, kept_as(each)});
    }
    if (!aggregates.empty()) in.out.print("\n" + aggregates.render(in.out));

    table commands{{{"COMMAND"}, {"FIELD"}, {"KIND"}, {"REQUIRED"}, {"LIMIT"}}};
    for (const auto& [cpp_name, each] : domain.commands) add_fields(commands, each.name, "", each.fields());
    if (!commands.empty()) in.out.print(commands.render(in.out));

    table events{{{"EVENT"}, {"AGGREGATE"}, {"VERSION"}, {"PUBLISHED"}, {"FIELDS"}}};
    for (const auto& [cpp_name, each] : domain.events) {
        std::string fields;
        if (each.fields != nullptr) {
            for (const field_schema& field : each.fields()) fields += (fields.empty() ? "" : ", ") + field.name;
        }
        const auto aggregate = domain.aggregates.find(each.aggregate);
        events.add({each.name, aggregate == domain.aggregates.end() ? each.aggregate : aggregate->second.name,
                    std::to_string(each.version), each.published ? "yes" : "", fields});
    }
    if (!events.empty()) in.out.print(events.render(in.out));

    table handlers{{{"HANDLER"}, {"GROUP"}, {"BROKER"}, {"STREAMS"}}};
    for (const consume::route& each : described.routes) {
        std::string streams;
        for (const std::string& stream : each.streams) streams += (streams.empty() ? "" : ", ") + stream;
        handlers.add({each.name, each.group, each.broker, streams});
    }
    if (!handlers.empty()) in.out.print(handlers.render(in.out));
}

exit_code describe_domain(const session& in) {
    const declared_installation described = operate::open_declared(in.site);
    if (in.out.json()) {
        const auto& domain = described.env->domain();
        json::array read_models;
        for (const auto& each : domain.projectors) {
            json::array columns;
            for (const auto& column : each.table.columns) columns.push_back(column.name);
            read_models.push_back(json::object{{"name", each.table.name},
                                               {"projector", each.class_name},
                                               {"key", each.table.key},
                                               {"columns", std::move(columns)}});
        }
        in.out.print_json(json::object{{"domain", domain.name},
                                       {"aggregates", as_json(*described.env)},
                                       {"read_models", std::move(read_models)},
                                       {"handlers", as_json(described.routes)}});
    } else {
        print(in, described);
    }
    return exit_code::ok;
}

}  // namespace

void add_describe(command& root) {
    root.add("describe", "Show the domain's aggregates, commands with their fields, events and handlers")
        .runs(describe_domain);
}

}  // namespace sluice::cli
