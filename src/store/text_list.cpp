#include "store/text_list.hpp"

#include <sluice/json.hpp>

namespace sluice::store {

std::string text_list(const std::vector<std::string>& texts) {
    json::array list;
    list.reserve(texts.size());
    for (const auto& text : texts) list.emplace_back(text);
    return json::dump(list);
}

std::vector<std::string> texts_in(std::string_view list) {
    const auto parsed = json::parse(list);
    std::vector<std::string> texts;
    for (const auto& text : parsed.as_array()) texts.push_back(text.as_string());
    return texts;
}

}  // namespace sluice::store
