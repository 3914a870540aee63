#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "config/provider.hpp"

/// Warnings that the addresses of several kinds of servers have in common.
namespace sluice::config {

/// A socket, or this machine: nobody listens in between.
[[nodiscard]] bool is_near(std::string_view host);

/// The first of the hosts of an address that is not near; nothing when all are.
/// @param authority  as base::read_hosts takes it
[[nodiscard]] std::optional<std::string> far_host(std::string_view authority);

/// @param key  of the address
[[nodiscard]] address_warning ambiguous_address(std::string_view key);

/// @param password  there is one, and it goes the same way
[[nodiscard]] address_warning plain_text(const std::string& host, bool password, std::string remedy);

/// @param how  the setting that lets it be so: `sslmode=require to db.example`
[[nodiscard]] address_warning unverified_server(const std::string& how, std::string remedy);

}  // namespace sluice::config
