#include "operate/json_forms.hpp"

#include <sluice/error.hpp>

namespace sluice::operate {

json::value embedded(std::string_view json_text) {
    if (json_text.empty()) return nullptr;
    try {
        return json::parse(json_text);
    } catch (const decode_error&) {
        return json_text;
    }
}

}  // namespace sluice::operate
