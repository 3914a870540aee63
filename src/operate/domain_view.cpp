#include "operate/domain_view.hpp"

#include <utility>

namespace sluice::operate {

namespace {

using detail::field_schema;

const char* kept_as(const detail::aggregate_entry& aggregate) {
    if (aggregate.sourcing) return "events";
    return aggregate.decode == nullptr ? "elsewhere" : "state";
}

json::array fields_json(const std::vector<field_schema>& fields) {
    json::array list;
    for (const field_schema& each : fields) {
        json::object field{{"name", each.name}, {"kind", each.kind}, {"required", each.required}};
        if (each.max_length != 0) field.set("max_length", each.max_length);
        if (each.digits) field.set("digits", *each.digits);
        if (!each.words.empty()) field.set("one_of", json::array(each.words.begin(), each.words.end()));
        if (!each.fields.empty()) field.set("fields", fields_json(each.fields));
        list.push_back(std::move(field));
    }
    return list;
}

json::array events_json(const domain_view& domain, const std::string& aggregate) {
    json::array list;
    for (const declared_event& each : domain.events) {
        if (each.aggregate != aggregate) continue;
        list.push_back(json::object{{"name", each.name},
                                    {"type", each.type},
                                    {"version", each.version},
                                    {"published", each.published},
                                    {"fields", fields_json(each.fields)}});
    }
    return list;
}

json::array commands_json(const domain_view& domain, const std::string& aggregate) {
    json::array list;
    for (const declared_command& each : domain.commands) {
        if (each.aggregate != aggregate) continue;
        list.push_back(json::object{
            {"name", each.name}, {"type", each.type}, {"handler", each.handler}, {"fields", fields_json(each.fields)}});
    }
    return list;
}

json::array aggregates_json(const domain_view& domain) {
    json::array list;
    for (const declared_aggregate& each : domain.aggregates) {
        list.push_back(json::object{{"name", each.name},
                                    {"class", each.class_name},
                                    {"stream", each.stream},
                                    {"database", each.database},
                                    {"kept_as", each.kept_as},
                                    {"commands", commands_json(domain, each.class_name)},
                                    {"events", events_json(domain, each.class_name)}});
    }
    return list;
}

json::array read_models_json(const std::vector<declared_read_model>& read_models) {
    json::array list;
    for (const declared_read_model& each : read_models) {
        list.push_back(json::object{{"name", each.name},
                                    {"projector", each.projector},
                                    {"key", each.key},
                                    {"columns", json::array(each.columns.begin(), each.columns.end())}});
    }
    return list;
}

json::array handlers_json(const std::vector<consume::route>& routes) {
    json::array list;
    for (const consume::route& each : routes) {
        list.push_back(json::object{{"name", each.name},
                                    {"group", each.group},
                                    {"broker", each.broker},
                                    {"streams", json::array(each.streams.begin(), each.streams.end())}});
    }
    return list;
}

declared_read_model view_of(const detail::projector_entry& projector) {
    declared_read_model view{
        .name = projector.table.name, .projector = projector.class_name, .key = projector.table.key, .columns = {}};
    for (const auto& column : projector.table.columns) view.columns.push_back(column.name);
    return view;
}

}  // namespace

domain_view view_domain(const detail::registry& domain, std::vector<consume::route> routes) {
    domain_view view{.name = domain.name, .handlers = std::move(routes)};
    for (const auto& [class_name, each] : domain.aggregates) {
        view.aggregates.push_back({each.name, class_name, each.category, each.database, kept_as(each)});
    }
    for (const auto& [class_name, each] : domain.commands) {
        view.commands.push_back({each.name, each.type, each.handler, each.aggregate, each.fields()});
    }
    for (const auto& [class_name, each] : domain.events) {
        auto fields = each.fields == nullptr ? std::vector<field_schema>{} : each.fields();
        view.events.push_back({each.name, each.type, each.version, each.published, each.aggregate, std::move(fields)});
    }
    for (const auto& each : domain.projectors) view.read_models.push_back(view_of(each));
    return view;
}

json::value to_json(const domain_view& domain) {
    return json::object{{"domain", domain.name},
                        {"aggregates", aggregates_json(domain)},
                        {"read_models", read_models_json(domain.read_models)},
                        {"handlers", handlers_json(domain.handlers)}};
}

}  // namespace sluice::operate
