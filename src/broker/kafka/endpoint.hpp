#pragma once

#include <string>

namespace sluice::broker::kafka {

/// Where a cluster is and who we are there: the address of a broker taken apart.
struct endpoint {
    std::string servers{};  ///< `h1:9092,h2:9092`
    std::string user{};     ///< empty: nobody logs in
    std::string password{};
    bool tls = false;
};

/// @throws configuration_error saying what is expected; it quotes neither the address nor the password
[[nodiscard]] endpoint parse_uri(const std::string& uri);

}  // namespace sluice::broker::kafka
