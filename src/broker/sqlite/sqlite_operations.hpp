#pragma once

#include <memory>

#include "broker/operations.hpp"
#include "broker/sqlite/file_link.hpp"

namespace sluice::broker::sqlite {

/// Looks at a broker, and never makes one: a file that does not exist yet holds nothing.
class sqlite_operations final : public operations {
public:
    explicit sqlite_operations(const std::shared_ptr<broker_file>& file) : link_{file, flush::as_configured} {}

    [[nodiscard]] std::vector<dead_letter_entry> dead_letters(const dead_letter_filter& filter) override;
    [[nodiscard]] std::size_t count(const dead_letter_filter& filter) override;
    [[nodiscard]] letters_outcome replay(const dead_letter_filter& filter) override;
    [[nodiscard]] letters_outcome purge(const dead_letter_filter& filter) override;
    [[nodiscard]] std::vector<group_status> groups() override;
    [[nodiscard]] std::optional<fence_state> fence_of(std::string_view producer) override;
    [[nodiscard]] std::vector<std::string> newest_ids(std::string_view stream, std::size_t limit) override;
    [[nodiscard]] std::unique_ptr<stream_walk> walk(std::string_view stream, std::optional<date_time> from) override;
    [[nodiscard]] std::vector<known_group> known_groups() override;
    std::size_t rename_group(std::string_view from, std::string_view to) override;
    std::size_t retire_group(std::string_view stream, std::string_view group) override;
    void abandon_group(std::string_view stream, std::string_view group, date_time now) override;
    void trim(date_time now) override;

private:
    template <class Result, class Action>
    Result guarded(Action action);
    /// Runs an action on each matching dead letter, in transactions of bounded length.
    template <class Action>
    letters_outcome for_each(const dead_letter_filter& filter, Action action);

    file_link link_;
};

}  // namespace sluice::broker::sqlite
