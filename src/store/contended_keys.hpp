#pragma once

#include <string>
#include <string_view>

/// What two writers may want at a time, by name: the same text for both, whatever the store. `unit_session::lock` takes
/// such a name, and `expected_version_error::contended` tells it.
namespace sluice::store {

[[nodiscard]] inline std::string state_key(std::string_view aggregate, std::string_view id) {
    return "state " + std::string{aggregate} + ' ' + std::string{id};
}
[[nodiscard]] inline std::string stream_key(std::string_view stream) { return "stream " + std::string{stream}; }
[[nodiscard]] inline std::string row_key(std::string_view read_model, std::string_view key) {
    return "row " + std::string{read_model} + ' ' + std::string{key};
}

}  // namespace sluice::store
