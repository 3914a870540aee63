#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "broker/kafka/client.hpp"
#include "broker/kafka/cluster.hpp"
#include "broker/kafka/group_places.hpp"
#include "broker/kafka/kafka_walk.hpp"
#include "broker/kafka/place_note.hpp"
#include "broker/keeperless_operations.hpp"

namespace sluice::broker::kafka {

/// What the cluster tells of Sluice's groups: those whose commits have a note of ours.
class kafka_operations final : public keeperless_operations {
public:
    explicit kafka_operations(std::shared_ptr<const cluster> at) : at_{std::move(at)} {}

    [[nodiscard]] std::vector<group_status> groups() override;
    [[nodiscard]] std::unique_ptr<stream_walk> walk(std::string_view stream, std::optional<date_time> from) override {
        return std::make_unique<kafka_walk>(at_, haste_, stream, from);
    }
    [[nodiscard]] std::vector<known_group> known_groups() override;
    std::size_t rename_group(std::string_view from, std::string_view to) override;
    std::size_t retire_group(std::string_view stream, std::string_view group) override;
    void hurry(duration patience) noexcept override { haste_.hurry(patience); }

private:
    /// A place with what was noted beside it.
    struct noted_place {
        kept_place at;
        place_note note;
    };

    [[nodiscard]] const client& link();
    [[nodiscard]] net::deadline answer_deadline() const { return net::deadline{at_->options.answer_timeout, &haste_}; }
    [[nodiscard]] std::vector<std::string> group_names();
    [[nodiscard]] std::vector<noted_place> places_of(std::string_view group);
    [[nodiscard]] std::map<std::string, std::vector<noted_place>> all_places();
    void delete_group(std::string_view group);
    void forget_places(std::string_view group, const std::vector<noted_place>& places);
    template <class Action>
    auto named(Action action);

    std::shared_ptr<const cluster> at_;
    net::haste haste_;
    std::unique_ptr<client> client_;
};

}  // namespace sluice::broker::kafka
