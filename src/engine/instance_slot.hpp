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
/// That holds within one network namespace: two containers with one host name get the same number. What they hold at a
/// broker is told apart by their incarnations, and `place` says whose numbers exclude each other.
class instance_slot {
public:
    /// Takes the lowest free number. @param deployment  what tells apart the deployments on a host
    /// @throws error when the kernel offers no socket
    explicit instance_slot(std::string_view deployment);

    [[nodiscard]] int number() const noexcept { return number_; }
    /// This kernel's boot and network namespace: of two engines of a deployment with one number and one place, one has
    /// ended. Empty when the kernel does not tell.
    [[nodiscard]] static std::string place();

private:
    base::unique_fd socket_;
    int number_ = 0;
};

/// The kernel's name of this machine; `localhost` when it has none.
[[nodiscard]] std::string host_name();

}  // namespace sluice::engine
