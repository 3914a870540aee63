#pragma once

#include <memory>
#include <optional>
#include <string>

#include "broker/publisher.hpp"
#include "broker/sqlite/file_link.hpp"
#include "broker/sqlite/retention.hpp"

namespace sluice::broker::sqlite {

/// Writes each batch in one transaction: one flush to disk, then everything in it is delivered.
class sqlite_publisher final : public publisher {
public:
    explicit sqlite_publisher(const std::shared_ptr<broker_file>& file)
        : link_{file, flush::as_configured}, retention_{file->options()} {}

    [[nodiscard]] std::vector<verdict> publish(std::span<const outgoing> batch, const producer& from,
                                               duration timeout) override;
    [[nodiscard]] std::string probe(duration timeout) override;
    [[nodiscard]] std::optional<fence_state> rival() const override { return rival_; }

private:
    void pass_fence(connection& db, const producer& from);
    [[nodiscard]] connection& open(duration timeout);
    [[nodiscard]] std::vector<verdict> write(connection& db, std::span<const outgoing> batch, const producer& from);

    file_link link_;
    retention retention_;
    std::optional<fence_state> rival_{};  ///< whom the last batch met
};

}  // namespace sluice::broker::sqlite
