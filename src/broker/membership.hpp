#pragma once

#include <string>
#include <string_view>

#include <sluice/subscription_options.hpp>
#include <sluice/time.hpp>

namespace sluice::broker {

/// One run of a process, which tells it from others that have its name: from its own former runs, and from a process
/// elsewhere whose host has the same name.
struct incarnation {
    std::string id{};  ///< different for each start of each process; empty: nobody else has the name
    /// Where the kernel gives a name to one living process at a time. Of two processes with one name and one place one
    /// is dead. Empty: unknown.
    std::string place{};
};

/// Identity of a consumer: group, and a name that is the same after a restart.
struct membership {
    std::string group;
    std::string consumer;
    duration claim{std::chrono::seconds{30}};  ///< a silent consumer's messages may be taken over after this time
    incarnation process{};
    /// Most bytes of bodies in one `read`, but one message in any case; 0: no limit. Brokers that can only hand out by
    /// number pass over it.
    std::size_t page_bytes = 0;
    /// The group under whose name an earlier build did the same work: a new group goes on where that one was, and not
    /// at the beginning of the stream. Messages that were under way there come again.
    std::string former_group{};
    std::string domain{};           ///< whose group it is, so that groups without a handler can be told from others'
    start from = start::beginning;  ///< of a group that does not exist yet

    /// The name with its incarnation: no two living consumers of a group have the same.
    [[nodiscard]] std::string seat() const { return process.id.empty() ? consumer : consumer + '/' + process.id; }
};

/// What a consumer that is found at a broker is to us.
enum class kinship {
    self,         ///< of this very process
    predecessor,  ///< had our name before us, and is dead
    namesake,     ///< has our name and may live: two hosts share a host name
    other         ///< has another name
};

/// Pure.
[[nodiscard]] kinship kinship_of(const membership& us, std::string_view name, const incarnation& theirs);

/// Logs that a namesake lives, as an error with its remedy.
void tell_namesake(const membership& us, std::string_view stream);

}  // namespace sluice::broker
