#include <sluice/detail/rows.hpp>

#include <sluice/date.hpp>
#include <sluice/decimal.hpp>
#include <sluice/duration.hpp>
#include <sluice/error.hpp>
#include <sluice/time.hpp>

#include "base/names.hpp"
#include "base/utf8.hpp"

namespace sluice::detail {

namespace {

std::string word_for(const table_column& column) {
    switch (column.kind) {
        case column_kind::text:
            return "a text";
        case column_kind::integer:
            return "a whole number";
        case column_kind::real:
            return "a number";
        case column_kind::boolean:
            return "a boolean";
        case column_kind::time:
            return "a date and time";
        case column_kind::date:
            return "a date";
        case column_kind::decimal:
            return "a decimal number with " + std::to_string(column.digits) + " digits after the point";
        case column_kind::duration:
            return "a duration";
        case column_kind::json:
            break;
    }
    return "JSON";
}

template <class Read>
bool can_read(const Read& read) {
    try {
        read();
        return true;
    } catch (const decode_error&) {
        return false;
    }
}

bool fits(const table_column& column, const json::value& value) {
    switch (column.kind) {
        case column_kind::text:
            return value.is_string();
        case column_kind::real:
            return value.is_number();
        case column_kind::boolean:
            return value.is_bool();
        case column_kind::integer:
            return can_read([&] { static_cast<void>(value.as_int()); });
        case column_kind::time:
            return can_read([&] { static_cast<void>(date_time::parse(value.as_string())); });
        case column_kind::date:
            return can_read([&] { static_cast<void>(date::parse(value.as_string())); });
        case column_kind::decimal:
            return can_read([&] { static_cast<void>(decimal_units(value.as_string(), column.digits)); });
        case column_kind::duration:
            return can_read([&] { static_cast<void>(parse_duration(value.as_string())); });
        case column_kind::json:
            break;
    }
    return false;
}

const table_column& column_named(const table_layout& in, const std::string& name) {
    if (const table_column* found = in.find(name)) return *found;
    std::vector<std::string> names;
    for (const table_column& each : in.columns) names.push_back(each.name);
    const std::string nearest = base::suggest(name, names);
    std::string known;
    for (const std::string& each : names) known += (known.empty() ? "" : ", ") + each;
    throw usage_error{"read model `" + in.name + "` has no column `" + name + "`; " +
                      (nearest.empty() ? "it has: " + known : "did you mean `" + nearest + "`?")};
}

void refuse_json(const table_layout& in, const table_column& column) {
    if (column.kind != column_kind::json) return;
    throw usage_error{"column `" + column.name + "` of read model `" + in.name +
                      "` holds JSON, which can be neither compared nor ordered; give what you look for a member of its "
                      "own"};
}

}  // namespace

void require_usable(const table_layout& in, const row_condition& condition) {
    const table_column& column = column_named(in, condition.column);
    if (condition.how == comparison_kind::missing || condition.how == comparison_kind::present) return;
    refuse_json(in, column);
    if (condition.value.is_string() && !base::is_storable(condition.value.as_string())) {
        throw usage_error{"column `" + column.name + "` of read model `" + in.name +
                          "` cannot be compared with a text that contains U+0000 or is not valid UTF-8; no store keeps "
                          "such a text"};
    }
    if (fits(column, condition.value)) return;
    throw usage_error{"column `" + column.name + "` of read model `" + in.name + "` holds " + word_for(column) +
                      "; compare it with one, not with " + json::to_string(condition.value.kind()) + " " +
                      json::dump(condition.value)};
}

void require_usable(const table_layout& in, const row_order& order) { refuse_json(in, column_named(in, order.column)); }

}  // namespace sluice::detail
