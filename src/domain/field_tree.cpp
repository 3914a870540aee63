#include <sluice/detail/field_tree.hpp>

namespace sluice::detail {

const value_type& innermost(const value_type& type) noexcept {
    const value_type* found = &type;
    while (found->element != nullptr) found = found->element;
    return *found;
}

std::vector<field_entry> make_members(std::span<const std::string_view> names, std::span<const value_type* const> types,
                                      std::span<const bool> initialised) {
    std::vector<field_entry> members;
    members.reserve(names.size());
    for (std::size_t i = 0; i < names.size(); ++i) members.push_back({names[i], types[i], initialised[i]});
    return members;
}

}  // namespace sluice::detail
