#include "engine/instance_slot.hpp"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <fstream>
#include <system_error>

#include <sluice/error.hpp>

#include "base/sha256.hpp"

namespace sluice::engine {

namespace {

constexpr int most_engines = 1024;  // of one deployment on one host

[[noreturn]] void fail(const char* call) {
    throw error{std::string{"no name for the consumers of this engine: "} + call +
                " failed: " + std::generic_category().message(errno)};
}

bool take_name(int socket, const std::string& name) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    // A leading NUL makes the name abstract: it is no file.
    std::memcpy(&address.sun_path[1], name.data(), name.size());
    const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size());
    // The sockets interface wants this cast.
    if (::bind(socket, reinterpret_cast<const sockaddr*>(&address), length) == 0) return true;
    if (errno != EADDRINUSE) fail("bind");
    return false;
}

}  // namespace

instance_slot::instance_slot(std::string_view deployment) : socket_{::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)} {
    if (!socket_) fail("socket");
    const std::string prefix = "sluice/" + base::sha256_hex(deployment).substr(0, 32) + "/";
    while (!take_name(socket_.get(), prefix + std::to_string(number_))) {
        if (++number_ == most_engines) {
            throw error{"more than " + std::to_string(most_engines) + " engines of one deployment run on this host"};
        }
    }
}

std::string instance_slot::place() {
    std::string boot;
    std::getline(std::ifstream{"/proc/sys/kernel/random/boot_id"}, boot);
    struct stat names {};
    if (boot.empty() || ::stat("/proc/self/ns/net", &names) != 0) return {};
    constexpr std::size_t enough = 16;
    const auto text = boot + '/' + std::to_string(names.st_dev) + '/' + std::to_string(names.st_ino);
    return base::sha256_hex(text).substr(0, enough);
}

std::string host_name() {
    std::array<char, 256> name{};
    if (::gethostname(name.data(), name.size() - 1) != 0 || name.front() == '\0') return "localhost";
    return name.data();
}

}  // namespace sluice::engine
