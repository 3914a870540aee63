#include "config/address_check.hpp"

#include <algorithm>
#include <utility>

namespace sluice::config {

namespace {

bool holds_control_character(std::string_view address) {
    return std::ranges::any_of(address, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; });
}

address_warning control_character(std::string_view key) {
    return {.code = "CONTROL_CHARACTER",
            .message = std::string{key} + " holds a line break or another control character",
            .remedy =
                "look at the values of its ${…}: a secret that was read from a file often ends with a newline; "
                "remove it there, or write it as %0A when it belongs to the secret"};
}

/// @param section  brokers.partner_events
void check_address(const std::string& section, const configured_address& at, const provider& kind,
                   std::vector<finding>& found) {
    const std::vector<address_warning> warnings =
        holds_control_character(at.text) ? std::vector{control_character(at.key)} : kind.check_address(at);
    for (const address_warning& each : warnings) {
        found.push_back({.level = severity::warning,
                         .code = each.code,
                         .element = section,
                         .message = section + ": " + each.message,
                         .remedy = each.remedy});
    }
}

}  // namespace

void check_addresses(const configuration& with, std::vector<finding>& found) {
    for (const auto& [name, database] : with.databases) {
        check_address("databases." + name, {"database_uri", database.database_uri, database.options}, *database.kind,
                      found);
    }
    for (const auto& [name, broker] : with.brokers) {
        check_address("brokers." + name, {"URI", broker.uri, broker.options}, *broker.kind, found);
    }
}

}  // namespace sluice::config
