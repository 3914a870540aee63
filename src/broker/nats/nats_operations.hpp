#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "broker/keeperless_operations.hpp"
#include "broker/nats/group_register.hpp"
#include "broker/nats/link.hpp"

namespace sluice::broker::nats {

/// Looks at the groups of the register `sluice-groups` and their consumers. A stream keeps by its limits, whoever has
/// read it.
class nats_operations final : public keeperless_operations {
public:
    explicit nats_operations(std::shared_ptr<const server> to);

    [[nodiscard]] std::vector<group_status> groups() override;
    /// Of the subject of the stream, as far as they are among the last messages of JetStream's stream.
    [[nodiscard]] std::vector<std::string> newest_ids(std::string_view stream, std::size_t limit) override;
    [[nodiscard]] std::unique_ptr<stream_walk> walk(std::string_view stream, std::optional<date_time> from) override;
    [[nodiscard]] std::vector<known_group> known_groups() override;
    /// What was acknowledged ahead of an earlier message that is not, comes again under the new name.
    std::size_t rename_group(std::string_view from, std::string_view to) override;
    std::size_t retire_group(std::string_view stream, std::string_view group) override;
    void hurry(duration patience) noexcept override { haste_.hurry(patience); }

private:
    template <class Action>
    auto over_session(Action action);
    [[nodiscard]] group_status status_of(session& on, const register_entry& of, const net::deadline& until) const;
    void rename_on(session& on, const register_entry& old, const std::string& to, const net::deadline& until) const;

    std::shared_ptr<const server> to_;
    net::haste haste_;
    link link_;
    group_register register_;
};

}  // namespace sluice::broker::nats
