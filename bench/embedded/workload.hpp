#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <sluice/sluice.hpp>

#include "base/random.hpp"
#include "broker/sqlite/sqlite_broker.hpp"
#include "commit/environment.hpp"
#include "commit/invocation.hpp"
#include "store/sqlite/sqlite_database.hpp"

namespace sluice::bench {

/// Payload of the event that is measured, in bytes of JSON: the size used for the reference (PERFORMANCE).
inline constexpr std::size_t payload_bytes = 583;

/// A directory that vanishes with its owner.
class scratch {
public:
    explicit scratch(const std::filesystem::path& parent);
    scratch(const scratch&) = delete;
    scratch& operator=(const scratch&) = delete;
    ~scratch();

    [[nodiscard]] std::filesystem::path operator/(std::string_view name) const { return path_ / name; }
    [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }

private:
    std::filesystem::path path_;
};

/// The domain that is measured, on one SQLite database.
class workload {
public:
    /// @param external  number of external brokers that a commit forks to, named `partner_1` …
    workload(const std::filesystem::path& database, int external);

    /// One command, one new aggregate, one published event.
    void commit_one();
    /// The same many times in few transactions, to make a backlog quickly.
    void make_backlog(std::size_t events);

    [[nodiscard]] commit::environment& env() noexcept { return *env_; }
    [[nodiscard]] store::database& database() noexcept { return *database_; }
    /// `headers.id` of the event of the last `commit_one`.
    [[nodiscard]] std::string last_message_id() const;
    /// The state that one commit writes, for the plain insert.
    [[nodiscard]] std::string state_text() const;

private:
    domain domain_;
    base::seeded_random random_{1};
    std::shared_ptr<store::database> database_;
    std::unique_ptr<commit::environment> env_;
    context context_;
    std::string prefix_;
    std::size_t next_ = 0;
};

/// Median of the values; they are reordered.
[[nodiscard]] double median(std::vector<double>& values);
/// Quantile 0…1 of the values; they are reordered.
[[nodiscard]] double quantile(std::vector<double>& values, double q);

}  // namespace sluice::bench
