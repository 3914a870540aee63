#include "domain/kind_text.hpp"

#include <array>
#include <cstddef>

namespace sluice::detail {

std::string kind_text(const value_type& type) {
    constexpr std::array<const char*, 17> words{"boolean", "integer", "integer",  "number",   "text",  "identifier",
                                                "time",    "date",    "decimal",  "duration", "uuid",  "enum",
                                                "json",    "json",    "list of ", "map of ",  "struct"};
    const std::string word = words.at(static_cast<std::size_t>(type.kind));
    return type.element == nullptr ? word : word + kind_text(*type.element);
}

}  // namespace sluice::detail
