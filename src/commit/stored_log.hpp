#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <sluice/registry.hpp>

#include "store/operations.hpp"

/// What the log of a database really holds, held against what this build declares.
namespace sluice::commit {

/// Events of one type that this build reads in one wrong way, or not at all.
struct log_problem {
    bool is_error = true;  ///< false when nothing needs to read them
    std::string type;      ///< `Shop.OrderShipped.v1`
    std::string message;
    std::string remedy;
};

/// Collects what was seen of a log and says what is wrong with it. Pure.
///
/// An error: an event of a declared name in a former version that nothing reads, one that handlers could not be given,
/// and one of an unknown type or version in a stream of an event-sourced aggregate, which is loaded from all of its
/// events. A warning: any other type of this domain that is not declared, and versions of tomorrow.
///
/// Lifetime: `domain` must outlive it.
class log_review {
public:
    explicit log_review(const detail::registry& domain) : domain_{domain} {}

    /// Each event once, in any order.
    void see(const store::stream_event& event);
    [[nodiscard]] std::size_t seen() const noexcept { return seen_; }
    [[nodiscard]] std::vector<log_problem> problems() const;

private:
    struct sighting {
        std::size_t count = 0;
        store::sequence first = 0;
    };
    struct unknown_type {
        sighting where;
        std::string category;
    };

    void try_to_read(const detail::event_entry& event, const store::stream_event& stored);
    [[nodiscard]] std::string among(const sighting& where, const std::string& type) const;
    [[nodiscard]] log_problem unknown(const std::string& type, const unknown_type& found) const;

    const detail::registry& domain_;
    std::size_t seen_ = 0;
    std::map<std::string, std::size_t> seen_of_type_;
    std::map<std::string, unknown_type> unknown_;
    /// By type and by what is wrong, which names the member.
    std::map<std::pair<std::string, std::string>, sighting> unreadable_;
};

/// Looks at a bounded part of the log: the first and the last events of every type that the domain reads, as far as
/// they lie in the first and the last part of the log, and a sample spread over all of it. The time does not depend on
/// the length of the log.
/// @throws store_error
[[nodiscard]] std::vector<log_problem> problems_of_log(const detail::registry& domain, store::operations_session& log);

}  // namespace sluice::commit
