#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "broker/sqlite/file_link.hpp"
#include "broker/stream_walk.hpp"

namespace sluice::broker::sqlite {

/// Walks through the entries of one stream by their ids. A stream that is not there has none.
class sqlite_walk final : public stream_walk {
public:
    /// @param by  must outlive it
    sqlite_walk(file_link& by, std::string_view stream, std::optional<date_time> from);

    [[nodiscard]] std::vector<walked_entry> next(std::size_t limit) override;
    [[nodiscard]] bool has_expired(std::string_view receipt, date_time confirmed_at) override;

private:
    template <class Result, class Action>
    Result guarded(Action action);

    file_link& link_;
    std::optional<std::int64_t> stream_id_{};
    std::int64_t last_ = 0;
    std::int64_t end_ = 0;
};

}  // namespace sluice::broker::sqlite
