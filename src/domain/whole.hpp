#pragma once

#include <string>
#include <vector>

#include <sluice/detail/field_tree.hpp>

/// Finds members that BOOST_DESCRIBE_CLASS does not list.
namespace sluice::detail {

/// One problem for each stretch of the object that no place explains, alignment considered.
/// @param what  of which the class is a part: ``aggregate `shop::Order` ``
[[nodiscard]] std::vector<std::string> problems_of(const std::string& what, object_layout layout);

/// The same for every class that is part of this one.
[[nodiscard]] std::vector<std::string> problems_of(const std::string& what, const field_tree& tree);

}  // namespace sluice::detail
