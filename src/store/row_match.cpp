#include "store/row_match.hpp"

#include <compare>

#include <sluice/decimal.hpp>
#include <sluice/duration.hpp>

namespace sluice::store {

namespace {

using detail::column_kind;
using detail::comparison_kind;

std::partial_ordering compare(const detail::table_column& column, const json::value& a, const json::value& b) {
    switch (column.kind) {
        case column_kind::integer:
            return a.as_int() <=> b.as_int();
        case column_kind::real:
            return a.as_double() <=> b.as_double();
        case column_kind::boolean:
            return a.as_bool() <=> b.as_bool();
        case column_kind::time:
            return date_time::parse(a.as_string()) <=> date_time::parse(b.as_string());
        case column_kind::decimal:
            return detail::decimal_units(a.as_string(), column.digits) <=>
                   detail::decimal_units(b.as_string(), column.digits);
        case column_kind::duration:
            return parse_duration(a.as_string()) <=> parse_duration(b.as_string());
        default:  // texts, and dates, whose texts are in the order of the days
            return a.as_string() <=> b.as_string();
    }
}

const json::value* value_of(const json::value& row, const std::string& column) {
    const json::value* found = row.find(column);
    return found == nullptr || found->is_null() ? nullptr : found;
}

}  // namespace

bool meets(const detail::table_layout& layout, const detail::row_condition& condition, const json::value& row) {
    const json::value* value = value_of(row, condition.column);
    if (condition.how == comparison_kind::missing) return value == nullptr;
    if (condition.how == comparison_kind::present) return value != nullptr;
    if (value == nullptr) return condition.how == comparison_kind::not_equal;
    const auto order = compare(*layout.find(condition.column), *value, condition.value);
    switch (condition.how) {
        case comparison_kind::equal:
            return order == 0;
        case comparison_kind::not_equal:
            return order != 0;
        case comparison_kind::less:
            return order < 0;
        case comparison_kind::less_or_equal:
            return order <= 0;
        case comparison_kind::greater:
            return order > 0;
        default:
            return order >= 0;
    }
}

bool comes_before(const detail::table_layout& layout, const std::vector<detail::row_order>& orders,
                  const json::value& left, const json::value& right) {
    for (const auto& [column, descending] : orders) {
        const json::value* a = value_of(descending ? right : left, column);
        const json::value* b = value_of(descending ? left : right, column);
        if (a == nullptr && b == nullptr) continue;
        if (a == nullptr || b == nullptr) return b == nullptr;
        const auto order = compare(*layout.find(column), *a, *b);
        if (order != 0) return order < 0;
    }
    return false;
}

}  // namespace sluice::store
