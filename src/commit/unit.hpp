#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <sluice/aggregate.hpp>
#include <sluice/registry.hpp>

#include "commit/command_terms.hpp"
#include "commit/environment.hpp"
#include "commit/provenance.hpp"
#include "commit/schedule_changes.hpp"
#include "commit/tracked.hpp"
#include "envelope/payload.hpp"
#include "observe/span.hpp"

namespace sluice::detail {

/// One unit of work: the identity map of what was read and added, and the one atomic write at its end.
///
/// Opens a connection with the first access to a repository, none before. All aggregates of a unit live in one
/// database, because nothing else can commit together.
///
/// Thread safety: none.
class unit {
public:
    explicit unit(commit::environment& env);
    unit(const unit&) = delete;
    unit& operator=(const unit&) = delete;
    /// Gives the locks back.
    ~unit();

    /// @param locks  keep out every other unit that locks the same aggregate, until this one ends
    [[nodiscard]] aggregate_root* find(std::string_view aggregate, std::string_view id, bool locks = false);
    aggregate_root& add(std::string_view aggregate, std::unique_ptr<aggregate_root> object);
    void remove(std::string_view aggregate, const aggregate_root& object);
    [[nodiscard]] std::vector<aggregate_root*> find_by(std::string_view aggregate, std::string_view field,
                                                       const json::value* equals, std::size_t limit);

    /// An event-sourced aggregate as it was, apart from what this unit holds.
    /// @throws not_found_error when it was not
    [[nodiscard]] std::unique_ptr<aggregate_root> at_version(std::string_view aggregate, std::string_view id,
                                                             std::int64_t version);
    [[nodiscard]] std::unique_ptr<aggregate_root> at_time(std::string_view aggregate, std::string_view id,
                                                          date_time time);

    /// Takes the events that aggregates recorded since the last call and gives them their metadata. Called whenever the
    /// provenance changes, so that each event names the command that caused it.
    /// @throws usage_error for an event that is not declared; whatever an enricher throws
    void collect(const provenance& from);

    /// Queues a submitted command; it leaves with the commit.
    void add_command(const command_entry& command, const envelope::payload& data, json::object extensions,
                     std::string id, const provenance& from, const commit::command_terms& terms = {});

    /// How far the unit has come with what it will write besides states.
    struct extent {
        std::size_t events = 0;
        std::size_t told = 0;  ///< events, facts, commands and scheduled messages so far
        friend bool operator==(const extent&, const extent&) = default;
    };
    [[nodiscard]] extent end() const noexcept { return {events_.size(), told_}; }
    /// Records a command that was handled at once, before what came of it; it goes to no broker.
    void insert_command(const extent& before, const command_entry& command, const envelope::payload& data,
                        json::object extensions, std::string id, const provenance& from,
                        const commit::command_terms& terms);

    /// What came of the command with this key, in this unit or before it.
    [[nodiscard]] std::optional<store::command_outcome> outcome_of(const command_entry& command, std::string_view key);
    /// Commits an outcome with everything else, in the database of the command's aggregate.
    /// @throws usage_error when the unit works in another one
    void record(const command_entry& command, store::command_outcome outcome);

    /// What is kept in a database without being an aggregate: reads from it, and writes that leave with the commit.
    /// @throws usage_error when the unit works on another database already
    [[nodiscard]] store::unit_session& reading(const std::string& database) { return *session(database); }
    void append(const std::string& database, store::event_write write);
    void schedule(const std::string& database, store::scheduled_message message);
    void cancel(const std::string& database, const std::string& scheduled_id);

    /// Keeps out those who lock the same key, until the unit ends.
    /// @param key  see store/contended_keys.hpp
    /// @throws store_error  retryable when it was not free in time
    void lock(const std::string& database, const std::string& key);
    /// The same for a key that was lost to another writer a moment ago, before it is read. A unit takes one such turn:
    /// it cannot wait in a circle with others that do the same. When the key is not free in time, it goes on without.
    void take_turn(const std::string& database, const std::string& key);

    /// What the inbox of the default database knows of a message; one that is guarded here counts as handled.
    [[nodiscard]] store::inbox_answer seen_before(const store::inbox_mark& mark);
    /// A message whose handler's effects commit here; its mark is written only when there is something else to write.
    void guard(store::inbox_mark mark) { guards_.push_back(std::move(mark)); }

    /// The guarded message as the default database keeps it: removed with what the unit writes there.
    void settles(store::kept_removal kept) { kept_ = std::move(kept); }
    /// True after a commit that has removed it.
    [[nodiscard]] bool has_settled() const noexcept { return has_settled_; }

    /// What is written counts only while this lease of the default database has this epoch.
    void fence(store::lease_fence lease) { fence_ = std::move(lease); }

    /// An inner unit rolled back: the whole can no longer commit.
    void doom() noexcept { doomed_ = true; }
    [[nodiscard]] bool doomed() const noexcept { return doomed_; }

    /// The span of this unit; null while none are recorded.
    [[nodiscard]] const trace_parent* traced() const noexcept { return span_.context(); }

    /// Writes everything in one transaction, then wakes the lanes and the schedule. Nothing to write means no
    /// transaction.
    /// @throws store::duplicate_message  a guarded message was handled meanwhile; nothing was written
    /// @throws store::lease_lost  the fence has another epoch; nothing was written
    /// @throws expected_version_error  also when somebody else has used an idempotency key meanwhile
    /// @throws validation_error, expected_version_error, store_error, usage_error; nothing was written (see in_doubt)
    void commit();

private:
    using tracked = commit::tracked;
    using standing = commit::standing;

    [[nodiscard]] commit::session_pool::lease& session(const std::string& database);
    [[nodiscard]] tracked* tracked_object(const aggregate_entry& type, std::string_view id);
    [[nodiscard]] std::unique_ptr<tracked> load(const aggregate_entry& type, std::string_view id);
    aggregate_root& track(std::unique_ptr<tracked> entry);
    void collect_from(tracked& from, const provenance& origin);
    [[nodiscard]] const event_entry& declared_event(std::string_view type, const aggregate_entry& raised_by) const;
    void warn_about_several_types(const store::commit_batch& batch) const;
    [[nodiscard]] store::inbox_answer look_in_inbox(const store::inbox_mark& mark);
    /// Whether the inbox has a mark of a guarded message.
    [[nodiscard]] bool was_handled_elsewhere();
    [[nodiscard]] store::commit_batch make_batch();
    void write(const store::commit_batch& batch);

    commit::environment& env_;
    std::optional<commit::session_pool::lease> session_;
    std::string database_;
    std::set<std::string> locked_;
    std::vector<std::unique_ptr<tracked>> objects_;  ///< in the order of first use
    std::map<std::pair<std::string, std::string>, tracked*> by_identity_;
    std::vector<store::event_write> events_;
    std::size_t told_ = 0;
    std::vector<store::command_outcome> outcomes_;
    commit::schedule_changes schedule_;
    std::vector<store::inbox_mark> guards_;
    std::optional<store::kept_removal> kept_;
    bool has_settled_ = false;
    std::optional<store::lease_fence> fence_;
    bool doomed_ = false;
    observe::span span_;
};

}  // namespace sluice::detail
