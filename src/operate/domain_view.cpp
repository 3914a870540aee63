#include "operate/domain_view.hpp"

#include <algorithm>
#include <utility>

#include "domain/kind_text.hpp"

namespace sluice::operate {

namespace {

/// The structs that are being shown, outermost first: one may contain itself.
using tree_path = std::vector<const detail::field_tree*>;

std::vector<declared_field> fields_of(const detail::field_tree& tree, tree_path path = {});

declared_field view_of(const detail::field_entry& member, const tree_path& path) {
    const detail::value_type& part = innermost(*member.type);
    declared_field view{
        .name = std::string{member.name}, .kind = kind_text(*member.type), .required = !member.type->optional};
    if (part.length.max_length != text_rule{}.max_length) view.max_length = part.length.max_length;
    if (part.kind == detail::value_kind::decimal) view.digits = part.digits;
    view.words.assign(part.words.begin(), part.words.end());
    if (part.structure != nullptr) view.fields = fields_of(part.structure(), path);
    return view;
}

std::vector<declared_field> fields_of(const detail::field_tree& tree, tree_path path) {
    std::vector<declared_field> fields;
    if (std::ranges::find(path, &tree) != path.end()) return fields;
    path.push_back(&tree);
    for (const detail::field_entry& each : tree.members) fields.push_back(view_of(each, path));
    return fields;
}

const char* kept_as(const detail::aggregate_entry& aggregate) {
    if (aggregate.sourcing) return "events";
    return aggregate.decode == nullptr ? "elsewhere" : "state";
}

json::array fields_json(const std::vector<declared_field>& fields) {
    json::array list;
    for (const declared_field& each : fields) {
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
        view.commands.push_back({each.name, each.type, each.handler, each.aggregate, fields_of(*each.fields)});
    }
    for (const auto& [class_name, each] : domain.events) {
        auto fields = each.fields == nullptr ? std::vector<declared_field>{} : fields_of(*each.fields);
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
