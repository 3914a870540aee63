#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "broker/redis/entry_id.hpp"
#include "broker/redis/pace.hpp"
#include "broker/redis/resp.hpp"
#include "broker/stream_walk.hpp"

namespace sluice::broker::redis {

/// Walks through a stream by XRANGE. A key that does not exist has no entries.
class redis_walk final : public stream_walk {
public:
    /// @param ask  what runs one command; must outlive it
    redis_walk(std::function<reply(const commands&)> ask, std::string_view stream, std::optional<date_time> from);

    [[nodiscard]] std::vector<walked_entry> next(std::size_t limit) override;
    /// Everything before the first entry that is kept counts as trimmed.
    [[nodiscard]] bool has_expired(std::string_view receipt, date_time confirmed_at) override;

private:
    [[nodiscard]] std::optional<entry_id> first_kept();

    std::function<reply(const commands&)> ask_;
    std::string stream_;
    std::string begin_;  ///< as XRANGE takes it
    std::string end_;
    reading_pace reading_;
    std::optional<std::optional<entry_id>> first_;  ///< once it was asked for
};

}  // namespace sluice::broker::redis
