#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sluice::broker::rabbitmq {

/// Which messages of one channel the server has answered. It counts them from 1 and confirms one, or all up to one, in
/// any order. One that no queue took is returned without its number, and confirmed afterwards like any other. Pure.
///
/// Thread safety: used by one thread at a time.
class confirms {
public:
    using ticket = std::uint64_t;
    struct answer {
        ticket of = 0;
        std::uint64_t tag = 0;
        bool is_returned = false;  ///< no queue took it
    };

    /// Call for each message when it is written, in order.
    void sent(ticket number, std::string_view message_id, std::string_view routing_key);
    /// @param multiple  all that are open up to this one
    [[nodiscard]] std::vector<answer> settle(std::uint64_t tag, bool multiple);
    void returned(std::string_view message_id, std::string_view routing_key);
    /// For a new channel.
    void clear();

    [[nodiscard]] std::size_t open() const noexcept { return open_.size(); }

private:
    using name = std::pair<std::string, std::string>;  ///< message id, routing key
    struct entry {
        ticket number = 0;
        std::multimap<name, std::uint64_t>::iterator by_name{};
        bool is_returned = false;
    };

    std::uint64_t last_tag_ = 0;
    std::map<std::uint64_t, entry> open_;
    std::multimap<name, std::uint64_t> tags_;
};

}  // namespace sluice::broker::rabbitmq
