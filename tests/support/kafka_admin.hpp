#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace sluice::testing {

/// What operators do to topics. Each call waits until it is done. @throws std::runtime_error when it fails
///
/// Thread safety: one thread uses it.
class kafka_admin {
public:
    explicit kafka_admin(std::string servers) : servers_{std::move(servers)} {}

    void create(const std::string& topic, int partitions = 1,
                const std::vector<std::pair<std::string, std::string>>& settings = {}) const;
    void remove(const std::string& topic) const;
    void set(const std::string& topic, const std::string& setting, const std::string& value) const;
    void add_partitions(const std::string& topic, int total) const;
    /// Removes what comes before the offset, as retention does.
    void remove_records(const std::string& topic, int partition, std::int64_t before) const;

private:
    std::string servers_;
};

}  // namespace sluice::testing
