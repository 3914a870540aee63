#include <toml++/toml.h>

#include <algorithm>

#include "config/document.hpp"
#include "config/printable.hpp"

// The only file that knows the TOML library.
namespace sluice::config {

namespace {

int line_of(const toml::source_region& region) { return static_cast<int>(region.begin.line); }

node convert(const toml::node& from, int line);

node::table convert_table(const toml::table& from) {
    node::table members;
    for (const auto& [key, value] : from) {
        const int line = key.source().begin ? line_of(key.source()) : line_of(value.source());
        members.push_back({std::string{key.str()}, convert(value, line)});
    }
    // The library sorts by key; people expect the order of the file.
    std::stable_sort(members.begin(), members.end(),
                     [](const auto& a, const auto& b) { return a.value.line < b.value.line; });
    return members;
}

node convert(const toml::node& from, int line) {
    node to;
    to.line = line;
    if (const auto* table = from.as_table()) {
        to.value = convert_table(*table);
    } else if (const auto* elements = from.as_array()) {
        node::array converted;
        for (const toml::node& element : *elements) converted.push_back(convert(element, line_of(element.source())));
        to.value = std::move(converted);
    } else if (const auto* text = from.as_string()) {
        to.value = text->get();
    } else if (const auto* whole = from.as_integer()) {
        to.value = whole->get();
    } else if (const auto* number = from.as_floating_point()) {
        to.value = number->get();
    } else if (const auto* flag = from.as_boolean()) {
        to.value = flag->get();
    } else {
        to.value = node::moment{};
    }
    return to;
}

}  // namespace

node read_toml(std::string_view text, const std::string& file) {
    try {
        const toml::table parsed = toml::parse(text, file);
        return node{.value = convert_table(parsed)};
    } catch (const toml::parse_error& e) {
        throw invalid_configuration{file,
                                    {{.line = line_of(e.source()),
                                      .message = "is not TOML: " + printable(e.description()),
                                      .remedy = "correct the syntax"}}};
    }
}

}  // namespace sluice::config
