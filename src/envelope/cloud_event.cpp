#include "envelope/cloud_event.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include <sluice/error.hpp>

#include "base/one_line.hpp"
#include "base/utf8.hpp"
#include "envelope/object_writer.hpp"
#include "envelope/text_template.hpp"

namespace sluice::envelope {

namespace {

using namespace std::string_view_literals;

constexpr std::string_view structured_type = "application/cloudevents+json; charset=UTF-8";
constexpr std::string_view json_type = "application/json";
/// Digits of each number of a `sequence`, so that the texts sort as the numbers do.
constexpr std::size_t sequence_digits = 10;

/// What strings of CloudEvents must not hold: controls, and code points that are no characters.
bool is_forbidden(char32_t c) {
    const bool is_control = c <= 0x1F || (c >= 0x7F && c <= 0x9F);
    const bool is_no_character = (c >= 0xFDD0 && c <= 0xFDEF) || (c & 0xFFFE) == 0xFFFE;
    return is_control || is_no_character;
}

void require_allowed(const std::string& message_id, std::string_view attribute, std::string_view value) {
    for (std::string_view rest = value; !rest.empty();) {
        const base::utf8_sequence next = base::decode_utf8(rest);
        if (!next.well_formed || is_forbidden(next.code_point)) {
            throw usage_error{
                fmt::format("attribute `{}` of the CloudEvent {} holds a character that CloudEvents forbid", attribute,
                            base::one_line(message_id))};
        }
        rest.remove_prefix(next.length);
    }
}

/// The attributes of one event, each checked, in their order.
class attribute_list {
public:
    explicit attribute_list(const std::string& message_id) : message_id_{message_id} {}

    void add(std::string name, std::string value) {
        if (value.empty()) return;  // CloudEvents know no empty attribute
        require_allowed(message_id_, name, value);
        all_.push_back({std::move(name), std::move(value)});
    }
    void add(std::string name, const std::optional<std::string>& value) {
        if (value) add(std::move(name), *value);
    }
    /// A member of our extensions under the name that CloudEvents allow: `tenant_id` is `tenantid`.
    void add_extension(const std::string& key, const json::value& value) {
        if (value.is_null()) return;
        std::string name;
        for (const char c : key) {
            if (c >= 'A' && c <= 'Z') name += static_cast<char>(c - 'A' + 'a');
            if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')) name += c;
        }
        const bool is_taken = std::ranges::find(all_, name, &header::name) != all_.end() || is_reserved(name);
        if (name.empty() || is_taken) {
            throw usage_error{fmt::format("extension `{}` of the CloudEvent {} would be the attribute `{}`, which {}",
                                          base::one_line(key), base::one_line(message_id_), name,
                                          name.empty() ? "is no name" : "stands for something else")};
        }
        add(std::move(name), value.is_string() ? value.as_string() : json::dump(value));
    }
    [[nodiscard]] const header_list& all() const noexcept { return all_; }

private:
    static bool is_reserved(std::string_view name) {
        static constexpr std::array words{"data"sv,     "datacontenttype"sv, "dataschema"sv, "partitionkey"sv,
                                          "sequence"sv, "subject"sv,         "time"sv,       "traceparent"sv};
        return std::ranges::find(words, name) != words.end();
    }

    const std::string& message_id_;
    header_list all_;
};

/// `shop::order` becomes `/shop/order`: a reference, whose scheme is that of nobody.
std::string usual_source(std::string_view category) {
    std::string path = "/";
    for (std::size_t i = 0; i < category.size(); ++i) {
        const bool is_pair = category.substr(i).starts_with("::");
        path += is_pair ? '/' : category[i];
        if (is_pair) ++i;
    }
    return path;
}

/// The identity of the aggregate: `o-1` of `shop::order-o-1`.
std::string subject_of(const message_metadata& metadata) {
    const std::string& stream = metadata.headers.stream;
    const std::string front = metadata.domain.stream_category + "-";
    return stream.starts_with(front) ? stream.substr(front.size()) : stream;
}

std::string with_z(const date_time& time) {
    std::string text = time.to_string();
    constexpr std::string_view utc = "+00:00";
    if (text.ends_with(utc)) text.replace(text.size() - utc.size(), utc.size(), "Z");
    return text;
}

/// Calls `number` for each run of digits, and keeps the rest.
template <class Number>
std::string for_numbers(std::string_view text, Number number) {
    std::string result;
    while (!text.empty()) {
        const auto end = std::min(text.find_first_not_of("0123456789"), text.size());
        if (end > 0) result += number(text.substr(0, end));
        const auto next = std::min(text.find_first_of("0123456789", end), text.size());
        result += text.substr(end, next - end);
        text.remove_prefix(next);
    }
    return result;
}

/// `9.1` becomes `0000000009.0000000001`, which sorts before `0000000010.0000000001`.
std::string padded(std::string_view sequence) {
    return for_numbers(sequence, [](std::string_view digits) {
        return std::string(sequence_digits - std::min(sequence_digits, digits.size()), '0') + std::string{digits};
    });
}

std::string unpadded(std::string_view sequence) {
    return for_numbers(sequence, [](std::string_view digits) {
        const auto first = std::min(digits.find_first_not_of('0'), digits.size() - 1);
        return std::string{digits.substr(first)};
    });
}

header_list attributes_of(const message_metadata& metadata, const json::object& extensions,
                          const partner_terms& terms) {
    const message_headers& headers = metadata.headers;
    const domain_metadata& origin = metadata.domain;
    attribute_list list{headers.id};
    list.add("specversion", std::string{"1.0"});
    list.add("id", headers.id);
    list.add("source", terms.source.empty() ? usual_source(origin.stream_category) : terms.source);
    list.add("type", headers.type);
    list.add("subject", subject_of(metadata));
    if (headers.time) list.add("time", with_z(*headers.time));
    if (!terms.dataschema.empty()) {
        list.add("dataschema", fill_template(terms.dataschema, {origin.stream_category, headers.type}));
    }
    list.add("partitionkey", headers.stream);
    if (origin.sequence_id) list.add("sequence", padded(*origin.sequence_id));
    if (headers.traceparent) list.add("traceparent", headers.traceparent->to_w3c());
    list.add("correlationid", origin.correlation_id);
    list.add("causationid", origin.causation_id);
    for (const auto& [key, value] : extensions) list.add_extension(key, value);
    return list.all();
}

std::string structured_body(const header_list& attributes, std::string_view data) {
    std::string body;
    object_writer event{body};
    for (const header& each : attributes) event.text(each.name, each.value);
    event.text("datacontenttype", json_type);
    event.raw("data", data);
    event.end();
    return body;
}

/// Of what stands in the wire format's own places.
bool has_own_place(std::string_view attribute) {
    static constexpr std::array words{"specversion"sv,  "id"sv,       "type"sv,           "time"sv,
                                      "partitionkey"sv, "sequence"sv, "traceparent"sv,    "correlationid"sv,
                                      "causationid"sv,  "data"sv,     "datacontenttype"sv};
    return std::ranges::find(words, attribute) != words.end();
}

std::string required(const json::value& event, std::string_view attribute) {
    std::string value = event.string_or(attribute, "");
    if (value.empty()) throw decode_error{fmt::format("the CloudEvent has no attribute `{}`", attribute)};
    return value;
}

}  // namespace

rendered_message render_cloud_event(const message_metadata& metadata, const json::object& extensions, std::string data,
                                    const partner_terms& terms) {
    header_list attributes = attributes_of(metadata, extensions, terms);
    if (terms.form == message_form::cloudevents_structured) {
        return {.body = structured_body(attributes, data), .content_type = structured_type};
    }
    for (header& each : attributes) each.name.insert(0, cloud_event_prefix);
    return {.body = std::move(data), .head = std::move(attributes), .content_type = json_type};
}

bool is_cloud_event(const json::value& body) {
    const json::value* const version = body.find("specversion");
    return version != nullptr && version->is_string() && !body.contains("metadata");
}

bool is_cloud_event(const header_list& head) {
    return std::ranges::any_of(head, [](const header& each) {
        return each.name.starts_with(cloud_event_prefix) &&
               each.name.substr(cloud_event_prefix.size()) == "specversion";
    });
}

message_metadata metadata_of_cloud_event(const json::value& event) {
    if (const std::string version = required(event, "specversion"); version != "1.0") {
        throw decode_error{
            fmt::format("the CloudEvent is of version {}, and only 1.0 is known", base::one_line(version, 40))};
    }
    static_cast<void>(required(event, "source"));
    const std::string type = required(event, "type");
    const std::string stream = event.string_or("partitionkey", event.string_or("subject", ""));
    json::object headers{{"id", required(event, "id")}, {"type", type}, {"stream", stream}};
    for (const char* each : {"time", "traceparent"}) {
        if (const json::value* const found = event.find(each)) headers.set(each, *found);
    }
    json::object domain{{"version", message_type{type}.version()}};
    const std::array places{std::pair{"correlationid", "correlation_id"}, std::pair{"causationid", "causation_id"}};
    for (const auto& [attribute, key] : places) {
        if (const json::value* const found = event.find(attribute)) domain.set(key, *found);
    }
    if (const std::string sequence = event.string_or("sequence", ""); !sequence.empty()) {
        domain.set("sequence_id", unpadded(sequence));
    }
    json::object extensions;
    for (const auto& [name, value] : event.as_object()) {
        if (!has_own_place(name) && !value.is_null()) extensions.append(name, value);
    }
    return decode_metadata(json::object{
        {"headers", std::move(headers)}, {"domain", std::move(domain)}, {"extensions", std::move(extensions)}});
}

json::value structured_form(std::string_view body, const header_list& head) {
    json::object event;
    for (const header& each : head) {
        if (!each.name.starts_with(cloud_event_prefix)) continue;
        event.set(each.name.substr(cloud_event_prefix.size()), each.value);
    }
    event.set("data", json::parse(body));
    return event;
}

}  // namespace sluice::envelope
