#include "config/address_warnings.hpp"

#include <utility>

#include "base/address_text.hpp"

namespace sluice::config {

bool is_near(std::string_view host) {
    return host.empty() || host.starts_with('/') || host.starts_with('@') || host == "localhost" || host == "::1" ||
           (host.starts_with("127.") && host.find_first_not_of("0123456789.") == std::string_view::npos);
}

std::optional<std::string> far_host(std::string_view authority) {
    for (base::host_and_port& each : base::read_hosts(authority)) {
        if (!is_near(each.host)) return std::move(each.host);
    }
    return std::nullopt;
}

address_warning ambiguous_address(std::string_view key) {
    return {.code = "AMBIGUOUS_ADDRESS",
            .message = std::string{key} + " can be read in two ways, so neither it nor errors of the server are shown",
            .remedy =
                "write every special character of user and password as %XX (@ as %40, / as %2F, ? as %3F, # as "
                "%23, % as %25), or put the values of a key=value list in single quotes"};
}

address_warning plain_text(const std::string& host, bool password, std::string remedy) {
    return {.code = "PLAIN_TEXT",
            .message = (password ? "the password and all messages may go" : "all data may go") + std::string{" to "} +
                       host + " without encryption",
            .remedy = std::move(remedy)};
}

address_warning unverified_server(const std::string& how, std::string remedy) {
    return {.code = "UNVERIFIED_SERVER",
            .message = how + " encrypts, but does not check who answers: anybody on the way can read everything",
            .remedy = std::move(remedy)};
}

}  // namespace sluice::config
