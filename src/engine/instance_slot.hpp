#pragma once

#include <string>
#include <string_view>

#include "base/unique_fd.hpp"

namespace sluice::engine {

/// A small number that no other living engine of the same deployment on this host has, and that a restarted engine gets
/// again: the name of its consumers is made of it, so what it had in hand comes back to it at once.
///
/// The number is a name in Linux' abstract socket namespace. The kernel gives it back when the process ends, however it
/// ends: there is no file to clean up, no lease to wait for and no process id to mistake for another.
///
/// Hosts (and containers) that share a broker need different host names, as everywhere.
class instance_slot {
public:
    /// Takes the lowest free number. @param deployment  what tells apart the deployments on a host
    /// @throws error when the kernel offers no socket
    explicit instance_slot(std::string_view deployment);

    [[nodiscard]] int number() const noexcept { return number_; }

private:
    base::unique_fd socket_;
    int number_ = 0;
};

/// The kernel's name of this machine; `localhost` when it has none.
[[nodiscard]] std::string host_name();

}  // namespace sluice::engine
