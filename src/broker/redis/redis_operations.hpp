#pragma once

#include <cstdint>
#include <functional>
#include <map>
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

/// Looks at the streams that groups of ours read (`sluice:streams`), and at all dead letters of the server: those of
/// streams that we only write to, and Protean's.
///
/// A dead letter is called `{stream}/{entry of the dead-letter stream}`. Those that other software's groups buried can
/// be seen and purged, not replayed: no reader of ours would get them.
///
/// Whose a dead letter is stands in its body. So each is read once to be counted, by whoever counts first, and a hash
/// beside the stream keeps the numbers (see tally).
class redis_operations final : public operations {
public:
    explicit redis_operations(std::shared_ptr<server> at) : link_{std::move(at), "sluice-operations"} {}

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
    /// Nothing: streams are trimmed by their length, whoever has read them.
    void abandon_group(std::string_view stream, std::string_view group, date_time now) override;
    void trim(date_time /*now*/) override {}
    void hurry(duration patience) noexcept override { haste_.hurry(patience); }

private:
    enum class direction { newest_first, oldest_first };
    struct grave {
        std::string stream;  ///< whose dead-letter stream it is in
        entry_id id;
        dead_letter_parts content;
    };

    struct walked {
        std::string last;         ///< entry that was seen, of whatever kind
        std::int64_t others = 0;  ///< entries that are no dead letters
    };
    using counts = std::map<std::string, std::int64_t>;  ///< by group
    /// Groups of one stream that a consumer of ours ever read for, as far as they were asked about.
    using own_groups = std::map<std::string, bool, std::less<>>;

    template <class Action>
    auto guarded(Action action);
    /// Of every call: as long as the server makes progress, and nobody is in a hurry.
    [[nodiscard]] net::deadline answer_due() const { return link_.answer_deadline(&haste_); }
    [[nodiscard]] reply call(const commands& one);
    [[nodiscard]] std::vector<reply> run(const commands& several);
    [[nodiscard]] std::vector<std::string> streams();
    [[nodiscard]] std::set<std::string> streams_of_groups();
    /// The streams that have dead letters and match.
    [[nodiscard]] std::vector<std::string> streams_of(const dead_letter_filter& filter);
    [[nodiscard]] std::vector<grave> find(const dead_letter_filter& filter, direction from);
    /// Visits the dead letters of one stream until `visit` returns false.
    /// @param begin  as XRANGE takes it: `-`, `+`, `(5-0`
    walked walk(const std::string& stream, direction from, std::string begin, const std::function<bool(grave)>& visit);
    /// Runs `change` on the matching dead letters that are there now, oldest first. It returns why not, or nothing.
    letters_outcome for_each(const dead_letter_filter& filter, const std::function<std::string(const grave&)>& change);
    [[nodiscard]] std::string hand_back(const grave& dead, own_groups& readers);
    [[nodiscard]] counts tally(const std::string& stream);
    void count_new(const std::string& stream, counts& found, std::string& upto);
    void add_group(const std::string& stream, std::int64_t length, const reply& group, std::int64_t dead,
                   std::vector<group_status>& to);
    /// Streams that have the group, in the order of their names.
    [[nodiscard]] std::vector<std::string> streams_of(std::string_view group);
    [[nodiscard]] std::vector<std::string> names_of_groups(const std::string& stream);
    [[nodiscard]] std::string domain_of(const std::string& stream, const std::string& group);
    void rename_on(const std::string& stream, const std::string& from, const std::string& to);
    [[nodiscard]] std::vector<grave> letters_of(const std::string& stream, std::string_view group);
    void rename_letter(const grave& dead, const std::string& to);
    /// Adds what moves a group's place and what it has in hand, from one name to another.
    /// @param key  the stream as it is now; `key_then` as it is called when the commands run
    void move_place(commands& into, const std::string& key, const std::string& key_then, const std::string& from,
                    const std::string& to);
    [[nodiscard]] std::int64_t lag_of(const std::string& key, const reply& group);
    void add_replays(group_status& to);

    net::haste haste_;
    link link_;
    reading_pace reading_;
    bool looked_for_groups_ = false;
};

}  // namespace sluice::broker::redis
