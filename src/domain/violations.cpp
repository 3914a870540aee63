#include "base/utf8.hpp"

#include <sluice/violations.hpp>

namespace sluice {
namespace {

/// Keys may come from outside: of a longer one no more is repeated than a person needs to find it.
constexpr std::size_t longest_name = 100;

void append_field(std::string& path, std::string_view field) {
    if (!path.empty() && !field.empty()) path += '.';
    if (field.size() <= longest_name) {
        path += field;
        return;
    }
    std::size_t end = 0;  // a cut between characters
    while (end < longest_name) end += base::decode_utf8(field.substr(end)).length;
    path += field.substr(0, end);
    path += "...";
}

}  // namespace

void violations::add(std::string_view field, std::string message) {
    std::string path;
    append_path(path, innermost_);
    append_field(path, field);
    found_.push_back({std::move(path), std::move(message)});
}

void violations::append_path(std::string& path, const scope* innermost) {
    if (innermost == nullptr) return;
    append_path(path, innermost->outer_);
    if (innermost->element_ == scope::not_an_element) {
        append_field(path, innermost->field_);
    } else {
        path += '[';
        path += std::to_string(innermost->element_);
        path += ']';
    }
}

}  // namespace sluice
