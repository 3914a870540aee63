#pragma once

#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "broker/operations.hpp"
#include "broker/redis/connection.hpp"
#include "broker/redis/dead_letter_text.hpp"
#include "broker/redis/entry_id.hpp"
#include "broker/redis/pace.hpp"

namespace sluice::broker::redis {

/// Looks at the streams that groups of ours read (`sluice:streams`), and at their dead letters, Protean's included.
///
/// A dead letter is called `{stream}/{entry of the dead-letter stream}`. Those that other software's groups buried can
/// be seen and purged, not replayed: no reader of ours would get them.
class redis_operations final : public operations {
public:
    explicit redis_operations(std::shared_ptr<server> at) : link_{std::move(at), "sluice-operations"} {}

    [[nodiscard]] std::vector<dead_letter_entry> dead_letters(const dead_letter_filter& filter) override;
    [[nodiscard]] std::size_t replay(const dead_letter_filter& filter) override;
    [[nodiscard]] std::size_t purge(const dead_letter_filter& filter) override;
    [[nodiscard]] std::vector<group_status> groups() override;
    [[nodiscard]] std::optional<fence_state> fence_of(std::string_view producer) override;
    [[nodiscard]] std::vector<std::string> newest_ids(std::string_view stream, std::size_t limit) override;

private:
    enum class direction { newest_first, oldest_first };
    struct grave {
        std::string stream;  ///< whose dead-letter stream it is in
        entry_id id;
        dead_letter_parts content;
    };

    template <class Action>
    auto guarded(Action action);
    [[nodiscard]] reply call(const commands& one);
    [[nodiscard]] std::vector<std::string> streams();
    [[nodiscard]] std::set<std::string> streams_of_groups();
    [[nodiscard]] std::vector<grave> find(const dead_letter_filter& filter, direction from);
    /// Visits the dead letters of one stream until `visit` returns false.
    void walk(const std::string& stream, direction from, const std::function<bool(grave)>& visit);
    [[nodiscard]] bool hand_back(const grave& dead);
    [[nodiscard]] std::int64_t lag_of(const std::string& key, const reply& group);
    void add_replays(group_status& to);

    link link_;
    reading_pace reading_;
    bool looked_for_groups_ = false;
};

}  // namespace sluice::broker::redis
