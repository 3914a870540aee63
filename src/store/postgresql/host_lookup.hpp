#pragma once

#include <chrono>
#include <functional>
#include <future>
#include <map>
#include <mutex>
#include <string>
#include <vector>

namespace sluice::store::postgresql {

/// What came of looking up a host.
struct host_addresses {
    std::vector<std::string> addresses{};  ///< as text, in the system's order
    std::string failure{};                 ///< why there is none
};

/// Looks up hosts within a deadline, although the system's lookup knows none: each runs on a thread of its own, at most
/// one for each host at a time, which is left behind when it takes too long. So a name server that does not answer
/// delays nobody for longer than a server that does not.
///
/// Thread safety: may be used concurrently.
class host_lookup {
public:
    using function = std::function<host_addresses(const std::string& host)>;

    /// @param how  may block; runs on other threads, perhaps after this object is gone
    explicit host_lookup(function how = ask_system) : how_{std::move(how)} {}

    /// The addresses of each host, in the same order.
    /// @param wait  for all of them together
    [[nodiscard]] std::vector<host_addresses> find(const std::vector<std::string>& hosts,
                                                   std::chrono::steady_clock::duration wait);

    [[nodiscard]] static host_addresses ask_system(const std::string& host);

private:
    using pending = std::shared_future<host_addresses>;

    [[nodiscard]] pending begin(const std::string& host);

    function how_;
    std::mutex mutex_;
    std::map<std::string, pending> running_;
};

/// libpq's `host` and `port` with the addresses of the hosts beside them, so that libpq need not look them up. The
/// names stay: certificates are verified against them.
struct resolved_hosts {
    std::string host{};
    std::string hostaddr{};
    std::string port{};
    std::string failure{};  ///< when no host has an address
};

/// Hosts of the list that have to be looked up: neither addresses nor paths of sockets.
[[nodiscard]] std::vector<std::string> names_in(const std::string& host_list);
/// @param found  of each of `names_in(host_list)`. A host without an address is left out while another has one.
[[nodiscard]] resolved_hosts resolve(const std::string& host_list, const std::string& port_list,
                                     const std::vector<host_addresses>& found);

}  // namespace sluice::store::postgresql
