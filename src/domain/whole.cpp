#include "domain/whole.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace sluice::detail {

namespace {

std::size_t aligned(std::size_t offset, std::size_t alignment) {
    return (offset + alignment - 1) / alignment * alignment;
}

std::string problem_of(const std::string& what, const object_layout& layout, std::size_t begin, std::size_t end,
                       std::string_view after) {
    const std::string behind = after.empty() ? std::string{} : fmt::format(", after `{}`,", after);
    return fmt::format(
        "{} has {} bytes in `{}` at offset {}{} that its BOOST_DESCRIBE_CLASS does not explain: what is kept there is "
        "neither stored nor loaded. List the member that is missing; wrap it in sluice::not_stored and list it when "
        "it is no part of the state; move the members of a base class into the class",
        what, end - begin, layout.name, begin, behind);
}

/// @param seen  classes that were looked at
void look_for_forgotten_members(const std::string& what, const field_tree& tree, std::vector<std::string_view>& seen,
                                std::vector<std::string>& problems) {
    if (std::ranges::find(seen, tree.name) != seen.end()) return;
    seen.push_back(tree.name);
    if (tree.in_memory != nullptr) {
        for (std::string& problem : problems_of(what, tree.in_memory())) problems.push_back(std::move(problem));
    }
    for (const field_entry& field : tree.members) {
        const value_type& part = innermost(*field.type);
        if (part.structure != nullptr) look_for_forgotten_members(what, part.structure(), seen, problems);
    }
}

}  // namespace

void object_layout::add(std::string_view part_name, const void* object, const void* part, std::size_t part_size,
                        std::size_t part_alignment) {
    const auto offset = static_cast<const unsigned char*>(part) - static_cast<const unsigned char*>(object);
    places.push_back({part_name, static_cast<std::size_t>(offset), part_size, part_alignment});
}

std::vector<std::string> problems_of(const std::string& what, const field_tree& tree) {
    std::vector<std::string_view> seen;
    std::vector<std::string> problems;
    look_for_forgotten_members(what, tree, seen, problems);
    return problems;
}

std::vector<std::string> problems_of(const std::string& what, object_layout layout) {
    std::ranges::stable_sort(layout.places, {}, &member_place::offset);
    std::size_t strictest = 1;
    for (const member_place& each : layout.places) strictest = std::max(strictest, each.alignment);
    // A class that is aligned more strictly than its members has one with `alignas`; which one, nobody can tell.
    const std::size_t asked_for = layout.alignment > strictest ? layout.alignment : 1;

    std::vector<std::string> problems;
    std::size_t explained = 0;
    std::string_view last;
    for (const member_place& each : layout.places) {
        if (each.offset > aligned(explained, std::max(each.alignment, asked_for))) {
            problems.push_back(problem_of(what, layout, explained, each.offset, last));
        }
        if (each.offset + each.size < explained) continue;
        explained = each.offset + each.size;
        last = each.name;
    }
    // An object without members has a size, too.
    if (layout.size > aligned(std::max<std::size_t>(explained, 1), layout.alignment)) {
        problems.push_back(problem_of(what, layout, explained, layout.size, last));
    }
    return problems;
}

}  // namespace sluice::detail
