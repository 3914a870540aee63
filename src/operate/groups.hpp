#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include <sluice/json.hpp>

#include "broker/operations.hpp"
#include "operate/installation.hpp"

/// Changes of consumer groups: what a handler has left under its name, at the brokers and in the databases.
namespace sluice::operate {

/// The operators' side of every broker that outlives the server, by name.
using lasting_brokers = std::map<std::string, std::unique_ptr<broker::operations>>;

/// What came of a new name.
struct renamed_group {
    std::string from;
    std::string to;
    std::size_t streams = 0;
    std::size_t inbox_marks = 0;
    bool has_handler = false;  ///< a handler of this build reads in the new name
};

/// @throws request_error (wrong_request) when they are the same, or the new one is no name for a group
void require_names(const std::string& from, const std::string& to);
/// Gives what a handler has left another name, at all brokers and in all databases. All are asked before anything is
/// changed.
/// @throws request_error for names that `require_names` refuses, while a server of the domain runs, or when nothing has
/// the old name
/// @throws usage_error  the new name is that of another group on a stream of the old one
/// @throws broker_error, store_error
[[nodiscard]] renamed_group rename_group(const declared_installation& in, const std::string& from,
                                         const std::string& to);

/// What came of a group that was removed.
struct retired_group {
    std::string group;
    std::size_t streams = 0;
    std::size_t inbox_marks = 0;
};

/// Removes a consumer group with all that it holds: how much that is, is known before anything is done.
///
/// Thread safety: none. Lifetime: the installation must outlive it.
class group_retirement {
public:
    /// @param stream  empty: on all
    /// @throws request_error when a handler of this build reads in its name, or there is no such group; broker_error
    group_retirement(const declared_installation& in, std::string group, std::string stream);

    [[nodiscard]] std::int64_t streams() const noexcept { return streams_; }
    [[nodiscard]] std::int64_t unread() const noexcept { return unread_; }  ///< messages
    [[nodiscard]] std::int64_t dead() const noexcept { return dead_; }      ///< dead letters

    /// Its inbox marks go with the last of its streams. @throws broker_error, store_error
    [[nodiscard]] retired_group apply();

private:
    void count();

    const declared_installation& in_;
    std::string group_;
    std::string stream_;
    lasting_brokers brokers_;
    std::int64_t streams_ = 0;
    std::int64_t unread_ = 0;
    std::int64_t dead_ = 0;
};

[[nodiscard]] json::value to_json(const renamed_group& renamed);
[[nodiscard]] json::value to_json(const retired_group& retired);

}  // namespace sluice::operate
