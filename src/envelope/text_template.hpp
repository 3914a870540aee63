#pragma once

#include <string>
#include <string_view>

namespace sluice::envelope {

/// A template has names in braces: `{domain}.{event}`. What they stand for in one message:
struct template_values {
    std::string_view stream_category;  ///< `shop::order`
    std::string_view type;             ///< `Shop.OrderShipped.v1`
};

/// `{aggregate}, {domain}, …`, for people.
[[nodiscard]] std::string template_fields();

/// What is wrong with a template, one line; empty when nothing is.
[[nodiscard]] std::string problem_of_template(std::string_view text);

/// @param text  a template without a problem
[[nodiscard]] std::string fill_template(std::string_view text, const template_values& with);

}  // namespace sluice::envelope
