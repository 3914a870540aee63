#pragma once

#include <sluice/json.hpp>

#include "store/read_model_records.hpp"

/// How rows are chosen and ordered, for a store that has no SQL. Pure.
namespace sluice::store {

/// @param row  an object with a member for each column
[[nodiscard]] bool meets(const detail::table_layout& layout, const detail::row_condition& condition,
                         const json::value& row);

/// True when `left` comes before `right` by the orders given; false when they are equal by all of them.
[[nodiscard]] bool comes_before(const detail::table_layout& layout, const std::vector<detail::row_order>& orders,
                                const json::value& left, const json::value& right);

}  // namespace sluice::store
