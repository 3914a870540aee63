#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include <sluice/sluice.hpp>

#include "broker/broker.hpp"
#include "commit/environment.hpp"
#include "store/store.hpp"

namespace sluice::bench {

/// Payload of the event that is measured, in bytes of JSON: the size used for the reference (PERFORMANCE).
inline constexpr std::size_t payload_bytes = 583;

/// Brokers of a workload by configured name. One that nobody publishes to need not be there.
using broker_map = std::map<std::string, std::shared_ptr<broker::broker>, std::less<>>;

/// `partner_1` …: the external brokers of a workload.
[[nodiscard]] std::string partner(int number);

/// The domain that is measured, on one database.
///
/// Thread safety: committers of several threads may share it.
class workload {
public:
    /// @param external  number of external brokers that a commit forks to
    workload(std::shared_ptr<store::database> database, int external, broker_map brokers = {});

    [[nodiscard]] commit::environment& env() noexcept { return *env_; }
    [[nodiscard]] store::database& database() noexcept { return *database_; }

private:
    domain domain_;
    std::shared_ptr<store::database> database_;
    std::unique_ptr<commit::environment> env_;
};

/// Commits to a workload: new aggregates, each with one published event.
///
/// Thread safety: one thread uses it.
class committer {
public:
    explicit committer(workload& work);

    /// One command, one unit of work.
    void commit_one();
    /// The same many times in few transactions, to make a backlog quickly.
    void commit_many(std::size_t events);
    /// `headers.id` of the event of the last `commit_one`.
    [[nodiscard]] std::string last_message_id() const;

private:
    context context_;
    std::string prefix_;
    std::size_t next_ = 0;
};

/// The state of an aggregate as one commit writes it.
[[nodiscard]] std::string state_text(std::string_view id);

}  // namespace sluice::bench
