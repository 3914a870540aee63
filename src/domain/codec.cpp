#include "base/decimal_text.hpp"
#include "base/names.hpp"
#include "base/utf8.hpp"

#include <sluice/codec.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <optional>
#include <system_error>

namespace sluice::codec::detail {

using sluice::detail::field_entry;
using sluice::detail::field_tree;
using sluice::detail::value_kind;

namespace {

/// Free-form JSON stays well below the depth that a reader accepts, since it is part of a larger text.
constexpr int deepest_json = 100;
/// ISO 8601 has four digits for the year.
constexpr date_time year_1 = date_time::from_micros(-62'135'596'800'000'000);
constexpr date_time year_10000 = date_time::from_micros(253'402'300'800'000'000);

template <class I>
void append_number(std::string& out, I number) {
    std::array<char, 24> digits{};
    const auto written = std::to_chars(digits.data(), digits.data() + digits.size(), number);
    out.append(digits.data(), written.ptr);
}

/// For a text that needs no escapes.
void append_quoted(std::string& out, std::string_view text) {
    out += '"';
    out += text;
    out += '"';
}

/// The nearest count of microseconds that there is.
std::int64_t saturated_micros(std::int64_t count, std::int64_t unit) {
    using limits = std::numeric_limits<std::int64_t>;
    return std::clamp(count, limits::min() / unit, limits::max() / unit) * unit;
}

/// Reports another kind of JSON than the expected one.
void refuse_kind(const json::value& found, const char* expected, violations& broken) {
    broken.add({}, std::string{"expected "} + expected + ", got " + json::to_string(found.kind()));
}

template <class I>
void refuse_range(I min, I max, violations& broken) {
    broken.add({}, "must be between " + std::to_string(min) + " and " + std::to_string(max));
}

/// The text of a whole number, or nothing after reporting why there is none.
const std::string* read_whole_number(const json::value& from, violations& broken) {
    if (!from.is_number()) {
        refuse_kind(from, "a whole number", broken);
        return nullptr;
    }
    const std::string& text = from.as_number().text;
    if (text.find_first_not_of("-0123456789") == std::string::npos) return &text;
    broken.add({}, "must be a whole number");
    return nullptr;
}

/// Sets `to` unless the text, a whole number, lies outside of its type.
template <class I>
bool fits(const std::string& text, I& to) {
    return std::from_chars(text.data(), text.data() + text.size(), to).ec == std::errc{};
}

template <class Names>
std::string joined(const Names& names) {
    std::string list;
    for (const auto& name : names) {
        if (!list.empty()) list += ", ";
        list += name;
    }
    return list;
}

bool has_field(const field_tree& tree, std::string_view name) {
    return std::ranges::find(tree.members, name, &field_entry::name) != tree.members.end();
}

bool has_former_name(const field_tree& tree, std::string_view name) {
    return std::ranges::find(tree.aliases, name, &field_alias::old_name) != tree.aliases.end();
}

/// The name under which the value of a member is to be read: an old one when only that is there.
std::string_view key_used(const json::object& in, std::string_view name, std::span<const field_alias> aliases) {
    if (aliases.empty() || in.contains(name)) return name;
    for (const auto& [old_name, new_name] : aliases) {
        if (new_name == name && in.contains(old_name)) return old_name;
    }
    return name;
}

/// What was most likely meant by a key that is no member's.
std::string instead_of(std::string_view key, const field_tree& tree) {
    std::vector<std::string> names;
    for (const field_entry& each : tree.members) names.emplace_back(each.name);
    const std::string meant = base::suggest(key, names);
    if (!meant.empty()) return "; did you mean `" + meant + "`?";
    return names.empty() ? std::string{} : ", which has: " + joined(names);
}

/// Of a duration; nothing after reporting why there are none. What has no text form in JSON, a number of seconds, is
/// rounded to microseconds, as Python does: a binary fraction is seldom exact.
std::optional<std::int64_t> micros_in(const json::value& from, violations& broken) {
    constexpr int digits_of_second = 6;
    if (from.is_number()) {
        const auto read =
            base::read_decimal(from.as_number().text, digits_of_second, base::excess_digits::round_half_even);
        if (read.problem == base::decimal_problem::none) return read.units;
    } else if (from.is_string()) {
        try {
            return parse_duration(from.as_string()).count();
        } catch (const decode_error&) {
            // It is reported below, like a number that is none.
        }
    } else {
        refuse_kind(from, "a duration, as a string or a number of seconds", broken);
        return std::nullopt;
    }
    broken.add({}, "is not a duration of weeks to seconds in ISO 8601, such as PT1H30M");
    return std::nullopt;
}

/// What is wrong with a text; empty when nothing is.
std::string problem_of(std::string_view text, const text_rule& rule, text_source from) {
    std::size_t length = 0;
    for (std::size_t at = 0; at < text.size(); ++length) {
        const std::size_t plain = base::ascii_prefix(text.substr(at));
        at += plain;
        length += plain;
        if (at == text.size()) break;
        const auto [code_point, bytes, well_formed] = base::decode_utf8(text.substr(at));
        if (!well_formed) return "is not valid UTF-8 at byte " + std::to_string(at);
        if (code_point == 0 && from == text_source::given) return "must not contain the character U+0000";
        at += bytes;
    }
    if (length == 0 && rule.min_length > 0) return "must not be empty";
    if (length < rule.min_length) {
        return "has " + std::to_string(length) + " characters; at least " + std::to_string(rule.min_length) +
               " are needed";
    }
    if (length > rule.max_length) {
        return "has " + std::to_string(length) + " characters; at most " + std::to_string(rule.max_length) +
               " are allowed";
    }
    return {};
}

/// A number made by hand may hold any text, and would make the whole message unreadable.
void check_number(const json::number& number, violations& broken) {
    try {
        const json::value read = json::parse(number.text);
        if (!read.is_number() || read.as_number() != number) {
            broken.add({}, "is not a JSON number");
        } else {
            check_double(read.as_double(), broken);
        }
    } catch (const decode_error&) {
        broken.add({}, "is not a JSON number");
    }
}

void check_object(const json::object& object, int depth, violations& broken, text_source from);

void check_value(const json::value& value, int depth, violations& broken, text_source from) {
    if (depth > deepest_json) {
        broken.add({}, "is nested deeper than " + std::to_string(deepest_json) + " levels");
        return;
    }
    switch (value.kind()) {
        case json::kind::null:
        case json::kind::boolean:
            break;
        case json::kind::number:
            check_number(value.as_number(), broken);
            break;
        case json::kind::string:
            check_text(value.as_string(), text::rule, broken, from);
            break;
        case json::kind::object:
            check_object(value.as_object(), depth, broken, from);
            break;
        case json::kind::array: {
            const json::array& array = value.as_array();
            for (std::size_t i = 0; i < array.size(); ++i) {
                const violations::scope in_element{broken, i};
                check_value(array[i], depth + 1, broken, from);
            }
        }
    }
}

void check_object(const json::object& object, int depth, violations& broken, text_source from) {
    for (const auto& [key, member] : object) {
        check_key(key, text::rule, broken, from);
        const violations::scope in_member{broken, key};
        check_value(member, depth + 1, broken, from);
    }
}

}  // namespace

void append_int(std::string& out, std::int64_t number) { append_number(out, number); }

void append_uint(std::string& out, std::uint64_t number) { append_number(out, number); }

void append_time(std::string& out, const date_time& time) {
    out += '"';
    out += time.to_string();
    out += '"';
}

void append_date(std::string& out, const date& day) { append_quoted(out, day.to_string()); }

void append_decimal(std::string& out, std::int64_t units, int digits) {
    append_quoted(out, sluice::detail::decimal_text(units, digits));
}

void append_duration(std::string& out, std::int64_t count, std::int64_t unit) {
    append_quoted(out, format_duration(duration{saturated_micros(count, unit)}));
}

void append_uuid(std::string& out, const uuid& id) { append_quoted(out, id.to_string()); }

void append_object(std::string& out, const json::object& object) {
    out += '{';
    const char* separator = "";
    for (const auto& [key, member] : object) {
        out += separator;
        json::append_string(out, key);
        out += ':';
        json::dump_to(out, member);
        separator = ",";
    }
    out += '}';
}

bool read_bool(const json::value& from, bool& to, violations& broken) {
    if (from.is_bool()) {
        to = from.as_bool();
    } else {
        refuse_kind(from, "a boolean", broken);
    }
    return from.is_bool();
}

bool read_int(const json::value& from, std::int64_t min, std::int64_t max, std::int64_t& to, violations& broken) {
    const std::string* const text = read_whole_number(from, broken);
    if (text == nullptr) return false;
    const bool done = fits(*text, to) && to >= min && to <= max;
    if (!done) refuse_range(min, max, broken);
    return done;
}

bool read_uint(const json::value& from, std::uint64_t max, std::uint64_t& to, violations& broken) {
    const std::string* const text = read_whole_number(from, broken);
    if (text == nullptr) return false;
    const bool done = (*text == "-0" || fits(*text, to)) && to <= max;
    if (!done) refuse_range(std::uint64_t{0}, max, broken);
    return done;
}

bool read_double(const json::value& from, double max, double& to, violations& broken) {
    if (!from.is_number()) {
        refuse_kind(from, "a number", broken);
        return false;
    }
    to = from.as_double();
    if (!std::isfinite(to) || std::fabs(to) <= max) return true;
    broken.add({}, "is too large");
    return false;
}

bool read_time(const json::value& from, date_time& to, violations& broken) {
    const std::string* const text = read_string(from, broken);
    if (text == nullptr) return false;
    try {
        to = date_time::parse(*text);
        return true;
    } catch (const decode_error&) {
        broken.add({}, "is not a date and time in ISO 8601, such as 2026-11-23T07:56:25+00:00");
        return false;
    }
}

bool read_date(const json::value& from, date& to, violations& broken) {
    const std::string* const text = read_string(from, broken);
    if (text == nullptr) return false;
    try {
        to = date::parse(*text);
        return true;
    } catch (const decode_error&) {
        broken.add({}, "is not a date of the calendar in ISO 8601, such as 2026-11-23");
        return false;
    }
}

bool read_decimal(const json::value& from, int digits, std::int64_t& units, violations& broken) {
    if (!from.is_string() && !from.is_number()) {
        refuse_kind(from, "a decimal number, as a string or a number", broken);
        return false;
    }
    const auto read = base::read_decimal(from.is_string() ? from.as_string() : from.as_number().text, digits);
    units = read.units;
    switch (read.problem) {
        case base::decimal_problem::none:
            return true;
        case base::decimal_problem::malformed:
            broken.add({}, "is not a decimal number, such as " + sluice::detail::decimal_text(1999, digits));
            return false;
        case base::decimal_problem::too_fine:
            broken.add({}, "has more than " + std::to_string(digits) + " digits after the point");
            return false;
        case base::decimal_problem::too_large:
            break;
    }
    using limits = std::numeric_limits<std::int64_t>;
    broken.add({}, "must be between " + sluice::detail::decimal_text(limits::min(), digits) + " and " +
                       sluice::detail::decimal_text(limits::max(), digits));
    return false;
}

bool read_duration(const json::value& from, std::int64_t unit, std::int64_t min, std::int64_t max, std::int64_t& count,
                   violations& broken) {
    const auto micros = micros_in(from, broken);
    if (!micros) return false;
    count = *micros / unit;
    if (*micros % unit != 0) {
        broken.add({}, "must be a whole multiple of " + format_duration(duration{unit}));
        return false;
    }
    const bool fits_in = count >= min && count <= max;
    if (!fits_in) {
        broken.add({}, "must be between " + format_duration(duration{saturated_micros(min, unit)}) + " and " +
                           format_duration(duration{saturated_micros(max, unit)}));
    }
    return fits_in;
}

bool read_uuid(const json::value& from, uuid& to, violations& broken) {
    const std::string* const text = read_string(from, broken);
    if (text == nullptr) return false;
    try {
        to = uuid::parse(*text);
        return true;
    } catch (const decode_error&) {
        broken.add({}, "is not a UUID, such as 0f8fad5b-d9cb-469f-a165-70867728950e");
        return false;
    }
}

const std::string* read_string(const json::value& from, violations& broken) {
    if (from.is_string()) return &from.as_string();
    refuse_kind(from, "a string", broken);
    return nullptr;
}

const json::array* read_array(const json::value& from, violations& broken) {
    if (from.is_array()) return &from.as_array();
    refuse_kind(from, "an array", broken);
    return nullptr;
}

const json::object* read_object(const json::value& from, violations& broken) {
    if (from.is_object()) return &from.as_object();
    refuse_kind(from, "an object", broken);
    return nullptr;
}

member_values::member_values(const json::object& in, const field_tree& tree, const key_rules& keys,
                             violations& broken) noexcept
    : in_{in}, tree_{tree}, keys_{keys}, broken_{broken} {}

const json::value* member_values::next() {
    const field_entry& member = tree_.members[number_++];
    key_ = key_used(in_, member.name, tree_.aliases);
    const json::value* const found = in_.find(key_);
    if (found == nullptr) {
        if (member.type->optional || keys_.missing == missing_keys::keep_default ||
            (keys_.missing == missing_keys::initialised && member.has_initialiser)) {
            return nullptr;
        }
    } else if (!found->is_null() || member.type->optional || member.type->kind == value_kind::json) {
        return found;
    }
    broken_.add(key_, "is required");
    complete_ = false;
    return nullptr;
}

void member_values::refuse_other_keys() {
    for (const auto& [key, value] : in_) {
        if (has_field(tree_, key) || has_former_name(tree_, key)) continue;
        broken_.add(key, "is not a field of " + std::string{reflect::detail::without_scope(tree_.name)} +
                             instead_of(key, tree_));
    }
}

void refuse_enumerator(std::span<const std::string_view> names, violations& broken) {
    broken.add({}, "expected one of: " + joined(names));
}

void check_text(std::string_view text, const text_rule& rule, violations& broken, text_source from) {
    std::string problem = problem_of(text, rule, from);
    if (!problem.empty()) broken.add({}, std::move(problem));
}

void check_key(std::string_view key, const text_rule& rule, violations& broken, text_source from) {
    const std::string problem = problem_of(key, rule, from);
    if (!problem.empty()) broken.add(key, "key " + problem);
}

void check_double(double number, violations& broken) {
    if (!std::isfinite(number)) broken.add({}, "must be a finite number");
}

void check_time(const date_time& time, violations& broken) {
    if (time < year_1 || time >= year_10000) broken.add({}, "must be between the years 1 and 9999");
}

void check_date(const date& day, violations& broken) {
    if (!day.ok()) broken.add({}, "must be a date of the calendar between the years 1 and 9999");
}

void check_duration(std::int64_t count, std::int64_t unit, violations& broken) {
    using limits = std::numeric_limits<std::int64_t>;
    if (count < limits::min() / unit || count > limits::max() / unit) broken.add({}, "must be less than 292,000 years");
}

void check_uuid(const uuid& id, violations& broken) {
    if (id.is_nil()) broken.add({}, "must not be the nil UUID");
}

void check_json(const json::value& value, violations& broken, text_source from) { check_value(value, 0, broken, from); }

void check_json(const json::object& object, violations& broken, text_source from) {
    check_object(object, 0, broken, from);
}

void require_none(std::string_view subject, violations& broken) {
    if (!broken.empty()) throw validation_error{std::string{subject}, broken.take()};
}

}  // namespace sluice::codec::detail
