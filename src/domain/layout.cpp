#include "domain/layout.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <string_view>
#include <vector>

namespace sluice::detail {

namespace {

/// The classes that are being written, outermost first: one may contain itself.
using layout_path = std::vector<std::string_view>;

void write(std::string& out, const field_tree& tree, layout_path& path);

const char* word_of(value_kind kind) {
    constexpr std::array<const char*, 17> words{"bool", "int",  "uint",    "number",   "text", "text",
                                                "time", "date", "decimal", "duration", "uuid", "enum",
                                                "json", "json", "[]",      "<>",       ""};
    return words.at(static_cast<std::size_t>(kind));
}

void write(std::string& out, const value_type& type, layout_path& path) {
    if (type.optional) out += '?';
    out += word_of(type.kind);
    // What has more digits, or is no multiple of the unit, cannot be read.
    if (type.kind == value_kind::decimal) out += std::to_string(type.digits);
    if (type.kind == value_kind::duration) out += std::to_string(type.unit);
    if (type.element != nullptr) write(out, *type.element, path);
    if (type.structure != nullptr) write(out, type.structure(), path);
}

void write(std::string& out, const field_tree& tree, layout_path& path) {
    if (std::ranges::find(path, tree.name) != path.end()) {
        out += tree.name;
        return;
    }
    path.push_back(tree.name);
    out += '{';
    for (const field_entry& field : tree.members) {
        out += field.name;
        out += ':';
        write(out, *field.type, path);
        out += ';';
    }
    out += '}';
    path.pop_back();
}

}  // namespace

std::string layout_of(const field_tree& tree) {
    std::string out;
    layout_path path;
    write(out, tree, path);
    return out;
}

}  // namespace sluice::detail
