#include "console/openapi.hpp"

#include <algorithm>
#include <utility>

#include <sluice/version.hpp>

namespace sluice::console {

namespace {

json::object schema_of(const parameter& of) {
    json::object schema;
    switch (of.what) {
        case parameter::kind::text:
            schema.append("type", "string");
            break;
        case parameter::kind::whole:
            schema.append("type", "integer");
            schema.append("minimum", 1);
            break;
        case parameter::kind::flag:
            schema.append("type", "boolean");
            break;
        case parameter::kind::object:
            schema.append("type", "object");
            break;
        case parameter::kind::objects:
            schema.append("type", "array");
            schema.append("items", json::object{{"type", "object"}});
            break;
        case parameter::kind::texts:
            schema.append("type", "array");
            schema.append("items", json::object{{"type", "string"}});
            break;
    }
    if (!of.words.empty()) schema.append("enum", json::array(of.words.begin(), of.words.end()));
    return schema;
}

json::object reference_to(const char* component) { return json::object{{"$ref", component}}; }

json::array parameters_of(const route& of) {
    json::array all;
    for (const parameter& each : of.parameters) {
        if (each.in == parameter::place::body) continue;
        all.push_back(json::object{{"name", each.name},
                                   {"in", each.in == parameter::place::path ? "path" : "query"},
                                   {"required", each.required || each.in == parameter::place::path},
                                   {"description", each.purpose},
                                   {"schema", schema_of(each)}});
    }
    if (of.method != "GET") all.push_back(reference_to("#/components/parameters/csrf"));
    return all;
}

/// Null when the route reads no body.
json::value body_of(const route& of) {
    json::object properties;
    json::array required;
    for (const parameter& each : of.parameters) {
        if (each.in != parameter::place::body) continue;
        json::object schema = schema_of(each);
        schema.append("description", each.purpose);
        properties.append(each.name, std::move(schema));
        if (each.required) required.emplace_back(each.name);
    }
    if (properties.empty()) return nullptr;
    const bool is_needed = !required.empty();
    json::object schema{{"type", "object"}, {"properties", std::move(properties)}, {"additionalProperties", false}};
    if (is_needed) schema.append("required", std::move(required));
    return json::object{{"required", is_needed},
                        {"content", json::object{{"application/json", json::object{{"schema", std::move(schema)}}}}}};
}

json::object operation_of(const route& of) {
    const json::object content{{"application/json", json::object{{"schema", json::object{{"type", "object"}}}}}};
    json::object operation{
        {"operationId", of.name},
        {"summary", of.purpose},
        {"x-role", config::to_string(of.needs)},
        {"parameters", parameters_of(of)},
        {"responses", json::object{{"200", json::object{{"description", "What was asked for"}, {"content", content}}},
                                   {"default", reference_to("#/components/responses/problem")}}}};
    if (json::value body = body_of(of); !body.is_null()) operation.append("requestBody", std::move(body));
    return operation;
}

json::object components() {
    const json::object text{{"type", "string"}};
    const json::object problem{
        {"type", "object"},
        {"properties", json::object{{"type", text},
                                    {"title", text},
                                    {"status", json::object{{"type", "integer"}}},
                                    {"code", json::object{{"type", "string"}, {"description", "a stable word"}}},
                                    {"detail", text}}},
        {"required", json::array{"title", "status", "code", "detail"}}};
    return {
        {"schemas", json::object{{"problem", problem}}},
        {"responses",
         json::object{{"problem",
                       json::object{{"description", "Why it was not done (RFC 9457)"},
                                    {"content", json::object{{"application/problem+json",
                                                              json::object{{"schema", reference_to("#/components/"
                                                                                                   "schemas/"
                                                                                                   "problem")}}}}}}}}},
        {"parameters", json::object{{"csrf", json::object{{"name", "x-csrf-token"},
                                                          {"in", "header"},
                                                          {"required", false},
                                                          {"description",
                                                           "csrf_token of /api/v1/session; not needed with a "
                                                           "bearer token"},
                                                          {"schema", text}}}}},
        {"securitySchemes",
         json::object{{"token", json::object{{"type", "http"}, {"scheme", "bearer"}}},
                      {"session", json::object{{"type", "apiKey"}, {"in", "cookie"}, {"name", "sluice_session"}}}}}};
}

}  // namespace

json::object openapi_document(const std::vector<route>& routes) {
    std::vector<std::pair<std::string, json::object>> paths;
    for (const route& each : routes) {
        if (each.name.empty() || !is_interface(each.path)) continue;
        auto path = std::ranges::find(paths, each.path, &std::pair<std::string, json::object>::first);
        if (path == paths.end()) path = paths.insert(paths.end(), {each.path, {}});
        path->second.append(each.method == "GET" ? "get" : "post", operation_of(each));
    }
    json::object all;
    for (auto& [path, operations] : paths) all.append(path, std::move(operations));
    return {{"openapi", "3.1.0"},
            {"info",
             json::object{
                 {"title", "Sluice console"}, {"version", version()}, {"description", "What operators see and do."}}},
            {"security", json::array{json::object{{"token", json::array{}}}, json::object{{"session", json::array{}}},
                                     json::object{}}},
            {"paths", std::move(all)},
            {"components", components()}};
}

}  // namespace sluice::console
