#include "console/command_form.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>

#include <sluice/error.hpp>

#include "console/widgets.hpp"
#include "operate/request_error.hpp"

namespace sluice::console {

namespace {

using operate::declared_field;

/// Inputs have names of their own, so that a field of a command is no field of the form.
std::string name_of(const declared_field& field) { return "field." + field.name; }

bool is_flag(const declared_field& field) { return field.kind == "boolean"; }

/// Given as it is; everything but these kinds is given as JSON.
bool is_text(const declared_field& field) {
    constexpr std::array kinds{"text", "identifier", "time", "date", "decimal", "duration", "uuid"};
    return std::ranges::find(kinds, field.kind) != kinds.end();
}

bool is_number(const declared_field& field) { return field.kind == "integer" || field.kind == "number"; }

std::string hint_of(const declared_field& field) {
    std::string hint = field.kind;
    if (field.max_length != 0) hint += fmt::format(", at most {} characters", field.max_length);
    if (field.digits) hint += fmt::format(", {} digits after the point", *field.digits);
    if (!is_text(field) && !is_number(field) && !is_flag(field) && field.words.empty()) hint += ", as JSON";
    if (!field.required) hint += ", optional";
    return hint;
}

json::value value_of(const declared_field& field, const std::string& text) {
    if (is_text(field) || !field.words.empty()) return text;
    try {
        return json::parse(text);
    } catch (const decode_error& e) {
        throw operate::wrong_request(
            fmt::format("{} is no {}: {}", field.name, is_number(field) ? "number" : "JSON", e.what()));
    }
}

}  // namespace

markup command_fields(const operate::declared_command& command, const form_values& given) {
    markup fields;
    for (const declared_field& each : command.fields) {
        const std::string name = name_of(each);
        const std::string& value = given.get(name);
        if (is_flag(each) || !each.words.empty()) {
            std::vector<std::pair<std::string, std::string>> words{{"", "–"}};
            for (const std::string& word : is_flag(each) ? std::vector<std::string>{"false", "true"} : each.words) {
                words.emplace_back(word, word);
            }
            fields += choice_field(name, each.name, words, value);
        } else {
            fields += text_field(name, each.name, value, hint_of(each));
        }
    }
    return fields;
}

json::object command_data(const operate::declared_command& command, const form_values& given) {
    json::object data;
    for (const declared_field& each : command.fields) {
        const std::string& text = given.get(name_of(each));
        // An empty text is one; everything else that is empty was not given.
        if (text.empty() && !(each.required && is_text(each))) continue;
        data.append(each.name, value_of(each, text));
    }
    return data;
}

}  // namespace sluice::console
