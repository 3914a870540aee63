#include "store/postgresql/host_lookup.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netdb.h>
#include <sys/socket.h>

#include <array>
#include <memory>
#include <string_view>
#include <thread>
#include <utility>

namespace sluice::store::postgresql {
namespace {

std::vector<std::string> elements_of(std::string_view list) {
    std::vector<std::string> all;
    for (;;) {
        const auto comma = list.find(',');
        all.emplace_back(list.substr(0, comma));
        if (comma == std::string_view::npos) return all;
        list.remove_prefix(comma + 1);
    }
}

bool is_name(const std::string& host) {
    if (host.empty() || host.front() == '/' || host.front() == '@') return false;  // the default, or a socket
    // With its scope (fe80::1%eth0) an address is numeric, too.
    addrinfo wanted{};
    wanted.ai_flags = AI_NUMERICHOST;
    addrinfo* found = nullptr;
    if (::getaddrinfo(host.c_str(), nullptr, &wanted, &found) != 0) return true;
    ::freeaddrinfo(found);
    return false;
}

void append(std::string& list, bool first, std::string_view element) {
    if (!first) list += ',';
    list += element;
}

}  // namespace

host_addresses host_lookup::ask_system(const std::string& host) {
    addrinfo wanted{};
    wanted.ai_family = AF_UNSPEC;
    wanted.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    if (const int failure = ::getaddrinfo(host.c_str(), nullptr, &wanted, &found); failure != 0) {
        return {.addresses = {}, .failure = ::gai_strerror(failure)};
    }
    host_addresses result;
    for (const addrinfo* each = found; each != nullptr; each = each->ai_next) {
        std::array<char, NI_MAXHOST> text{};
        if (::getnameinfo(each->ai_addr, each->ai_addrlen, text.data(), text.size(), nullptr, 0, NI_NUMERICHOST) == 0) {
            result.addresses.emplace_back(text.data());
        }
    }
    ::freeaddrinfo(found);
    if (result.addresses.empty()) result.failure = "it has no address of a known kind";
    return result;
}

host_lookup::pending host_lookup::begin(const std::string& host) {
    const std::lock_guard lock{mutex_};
    pending& running = running_[host];
    if (!running.valid()) {
        std::packaged_task<host_addresses()> task{[how = how_, host] { return how(host); }};
        running = task.get_future().share();
        std::thread{std::move(task)}.detach();
    }
    return running;
}

std::vector<host_addresses> host_lookup::find(const std::vector<std::string>& hosts,
                                              std::chrono::steady_clock::duration wait) {
    const auto give_up = std::chrono::steady_clock::now() + wait;
    std::vector<pending> all;
    all.reserve(hosts.size());
    for (const auto& host : hosts) all.push_back(begin(host));
    std::vector<host_addresses> found;
    for (std::size_t i = 0; i < hosts.size(); ++i) {
        if (all[i].wait_until(give_up) != std::future_status::ready) {
            found.push_back({.addresses = {}, .failure = "looking it up takes too long; check the name server"});
            continue;
        }
        found.push_back(all[i].get());
        // The next one asks anew: addresses change. Somebody may have begun that already.
        const std::lock_guard lock{mutex_};
        const auto running = running_.find(hosts[i]);
        const bool over =
            running != running_.end() && running->second.wait_for(std::chrono::seconds{0}) == std::future_status::ready;
        if (over) running_.erase(running);
    }
    return found;
}

std::vector<std::string> names_in(const std::string& host_list) {
    std::vector<std::string> names;
    for (auto& each : elements_of(host_list)) {
        if (is_name(each)) names.push_back(std::move(each));
    }
    return names;
}

resolved_hosts resolve(const std::string& host_list, const std::string& port_list,
                       const std::vector<host_addresses>& found) {
    const auto hosts = elements_of(host_list);
    const auto ports = elements_of(port_list);
    resolved_hosts all;
    bool first = true;
    const auto add = [&](std::size_t place, std::string_view address) {
        append(all.host, first, hosts[place]);
        append(all.hostaddr, first, address);
        append(all.port, first, ports.size() == hosts.size() ? ports[place] : ports.front());
        first = false;
    };
    std::size_t name = 0;
    for (std::size_t place = 0; place < hosts.size(); ++place) {
        if (!is_name(hosts[place])) {
            add(place, "");
            continue;
        }
        const auto& [addresses, failure] = found.at(name++);
        for (const auto& address : addresses) add(place, address);
        if (addresses.empty()) {
            all.failure +=
                fmt::format("{}host {} has no address: {}", all.failure.empty() ? "" : "; ", hosts[place], failure);
        }
    }
    if (!first) all.failure.clear();
    return all;
}

}  // namespace sluice::store::postgresql
