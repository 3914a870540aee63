#pragma once

#include <map>
#include <mutex>
#include <string>
#include <vector>

#include <sluice/json.hpp>

#include "support/http_endpoint.hpp"

namespace sluice::testing {

/// A span as a receiver reads it.
struct received_span {
    std::string service{};
    std::string name{};
    std::string trace{};
    std::string id{};
    std::string parent{};
    int kind = 0;
    std::map<std::string, std::string> attributes{};  ///< those with texts
    std::vector<std::string> links{};                 ///< ids of spans
};

/// Reads the attributes of an object that are texts.
inline std::map<std::string, std::string> text_attributes(const json::value& of) {
    std::map<std::string, std::string> found;
    for (const json::value& each : of.at("attributes").as_array()) {
        if (const json::value* const text = each.at("value").find("stringValue")) {
            found[each.at("key").as_string()] = text->as_string();
        }
    }
    return found;
}

/// The spans in the bodies of requests to `/v1/traces`.
inline std::vector<received_span> spans_in(const std::vector<http_request>& requests) {
    std::vector<received_span> all;
    for (const http_request& request : requests) {
        if (request.target != "/v1/traces") continue;
        const json::value body = json::parse(request.body);
        const json::value& from = body.at("resourceSpans").at(std::size_t{0});
        const std::string service = text_attributes(from.at("resource"))["service.name"];
        for (const json::value& span : from.at("scopeSpans").at(std::size_t{0}).at("spans").as_array()) {
            received_span one{.service = service,
                              .name = span.at("name").as_string(),
                              .trace = span.at("traceId").as_string(),
                              .id = span.at("spanId").as_string(),
                              .parent = span.string_or("parentSpanId", ""),
                              .kind = static_cast<int>(span.at("kind").as_int()),
                              .attributes = text_attributes(span)};
            for (const json::value& link : span.at("links").as_array())
                one.links.push_back(link.at("spanId").as_string());
            all.push_back(std::move(one));
        }
    }
    return all;
}

}  // namespace sluice::testing
