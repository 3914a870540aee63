#include "commit/unit.hpp"

#include <algorithm>
#include <chrono>
#include <set>

#include <sluice/codec.hpp>
#include <sluice/error.hpp>
#include <sluice/repository.hpp>

#include "base/failure_cause.hpp"
#include "base/ids.hpp"
#include "base/one_line.hpp"
#include "base/utf8.hpp"
#include "commit/by_events.hpp"
#include "commit/by_state.hpp"
#include "commit/command_outcome.hpp"
#include "commit/event_metadata.hpp"
#include "commit/fact_event.hpp"
#include "commit/replay.hpp"
#include "commit/snapshot.hpp"
#include "commit/stream_name.hpp"
#include "domain/aggregate_access.hpp"
#include "observe/log.hpp"
#include "observe/span_source.hpp"
#include "store/contended_keys.hpp"

namespace sluice::detail {

using commit::quoted;

namespace {

/// Where inbox and leases of handlers are, and messages that failed.
constexpr std::string_view default_database = "default";

/// No store has a text that it cannot keep, and some fail when they are asked for one.
void require_searchable(const aggregate_entry& type, std::string_view field, const json::value& equals) {
    if (!equals.is_string()) return;
    violations broken;
    {
        const violations::scope in_field{broken, field};
        codec::detail::check_text(equals.as_string(), text::rule, broken);
    }
    codec::detail::require_none(type.name, broken);
}

/// What writers of one aggregate contend for.
std::string key_of(const aggregate_entry& type, std::string_view id) {
    return type.sourcing ? store::stream_key(commit::stream_of(type.category, id)) : store::state_key(type.name, id);
}

}  // namespace

unit::unit(commit::environment& env) : env_{env} {
    if (const auto* const spans = env.tracer().spans()) span_ = spans->begin_here("unit of work", span_kind::internal);
}

unit::~unit() {
    if (!locked_.empty() && session_ && *session_) (*session_)->unlock();
}

commit::session_pool::lease& unit::session(const std::string& database) {
    if (!session_) {
        session_.emplace(env_.sessions(database).borrow());
        database_ = database;
    } else if (database != database_) {
        throw usage_error{"one unit of work touches the databases `" + database_ + "` and `" + database +
                          "`; they cannot commit together, so use one unit for each (react with an event handler)"};
    }
    return *session_;
}

unit::tracked* unit::tracked_object(const aggregate_entry& type, std::string_view id) {
    const auto found = by_identity_.find({type.cpp_name, std::string{id}});
    return found == by_identity_.end() ? nullptr : found->second;
}

void unit::lock(const std::string& database, const std::string& key) {
    if (locked_.contains(key)) return;
    session(database)->lock(key);
    locked_.insert(key);
}

void unit::take_turn(const std::string& database, const std::string& key) {
    const observe::log_scope scope{env_.log()};
    if (!locked_.empty() || !env_.contention().is_hot(key, env_.time().monotonic_now())) return;
    try {
        lock(database, key);
    } catch (const store_error& busy) {
        if (base::cause_of(busy) == base::failure_cause::outage) throw;
        observe::log(observe::level::debug, "unit.no_turn", {{"key", key}, {"reason", base::one_line(busy.what())}});
    }
}

std::unique_ptr<commit::tracked> unit::load(const aggregate_entry& type, std::string_view id) {
    const observe::log_scope scope{env_.log()};
    if (!base::is_storable(id)) return nullptr;
    if (env_.contention().any()) take_turn(type.database, key_of(type, id));
    store::unit_session& from = *session(type.database);
    if (type.sourcing) {
        auto found = commit::replay{env_.domain(), from, type, id}.current();
        return found ? commit::track_history(type, id, std::move(*found)) : nullptr;
    }
    const auto row = from.load(type.name, id);
    return row ? commit::track_state(type, *row) : nullptr;
}

aggregate_root& unit::track(std::unique_ptr<tracked> entry) {
    tracked& kept = *objects_.emplace_back(std::move(entry));
    by_identity_.emplace(std::pair{kept.type->cpp_name, kept.id}, &kept);
    return *kept.object;
}

aggregate_root* unit::find(std::string_view aggregate, std::string_view id, bool locks) {
    const aggregate_entry& type = env_.domain().aggregate(aggregate);
    if (locks && base::is_storable(id)) lock(type.database, key_of(type, id));
    if (tracked* known = tracked_object(type, id)) {
        return known->state == standing::removed ? nullptr : known->object.get();
    }
    auto loaded = load(type, id);
    return loaded ? &track(std::move(loaded)) : nullptr;
}

aggregate_root& unit::add(std::string_view aggregate, std::unique_ptr<aggregate_root> object) {
    const aggregate_entry& type = env_.domain().aggregate(aggregate);
    std::string id = type.identity(*object);
    if (id.empty()) {
        throw validation_error{type.name, {{"identity", "is required: the first identifier member must not be empty"}}};
    }
    commit::require_unambiguous_stream(type, id);
    if (tracked_object(type, id) != nullptr) {
        throw usage_error{quoted(type, id) + " is already part of this unit of work; change the object it returned"};
    }
    if (object->version() >= 0) {
        throw usage_error{quoted(type, id) + " is a copy of a stored aggregate, of its version " +
                          std::to_string(object->version()) +
                          ", and cannot be added; `get` the aggregate and change that"};
    }
    static_cast<void>(session(type.database));
    auto entry = std::make_unique<tracked>();
    entry->type = &type;
    entry->id = std::move(id);
    entry->object = std::move(object);
    entry->state = standing::added;
    if (type.sourcing) entry->told = type.sourcing->blank();
    return track(std::move(entry));
}

void unit::remove(std::string_view aggregate, const aggregate_root& object) {
    const aggregate_entry& type = env_.domain().aggregate(aggregate);
    for (const auto& entry : objects_) {
        if (entry->object.get() == &object) {
            entry->state = standing::removed;
            return;
        }
    }
    throw usage_error{"an object of `" + type.name +
                      "` was to be removed that this unit of work did not hand out; get it from the repository first"};
}

std::vector<aggregate_root*> unit::find_by(std::string_view aggregate, std::string_view field,
                                           const json::value* equals, std::size_t limit) {
    const observe::log_scope scope{env_.log()};
    const aggregate_entry& type = env_.domain().aggregate(aggregate);
    if (equals != nullptr) require_searchable(type, field, *equals);
    store::state_query query;
    query.field = field;
    query.equals = equals != nullptr ? json::dump(*equals) : std::string{};
    query.limit = limit;

    std::map<std::string, aggregate_root*> found;
    for (const store::stored_state& row : session(type.database)->find(type.name, query)) {
        if (tracked_object(type, row.id) == nullptr) found.emplace(row.id, &track(commit::track_state(type, row)));
    }
    // Objects of this unit count as they are now, not as they are stored.
    for (const auto& entry : objects_) {
        if (entry->type != &type || entry->state == standing::removed) continue;
        if (equals != nullptr) {
            const json::value state = json::parse(type.encode(*entry->object));
            const json::value* value = state.find(field);
            if (value == nullptr || !(*value == *equals)) continue;
        }
        found.emplace(entry->id, entry->object.get());
    }

    std::vector<aggregate_root*> result;
    for (const auto& [id, object] : found) {
        if (result.size() == limit) break;
        result.push_back(object);
    }
    return result;
}

std::unique_ptr<aggregate_root> unit::at_version(std::string_view aggregate, std::string_view id,
                                                 std::int64_t version) {
    const observe::log_scope scope{env_.log()};
    const aggregate_entry& type = env_.domain().aggregate(aggregate);
    std::optional<commit::replayed> found;
    if (base::is_storable(id)) {
        found = commit::replay{env_.domain(), *session(type.database), type, id}.up_to_version(version);
    }
    const std::int64_t reached = found ? found->object->version() : -1;
    if (version >= 0 && reached == version) return std::move(found->object);
    throw not_found_error{quoted(type, id) + " has no version " + std::to_string(version) +
                          (reached < 0 ? std::string{} : ": its newest is " + std::to_string(reached))};
}

std::unique_ptr<aggregate_root> unit::at_time(std::string_view aggregate, std::string_view id, date_time time) {
    const observe::log_scope scope{env_.log()};
    const aggregate_entry& type = env_.domain().aggregate(aggregate);
    std::optional<commit::replayed> found;
    if (base::is_storable(id)) {
        found = commit::replay{env_.domain(), *session(type.database), type, id}.up_to_time(time);
    }
    if (found) return std::move(found->object);
    throw not_found_error{"there was no " + quoted(type, id) + " at " + time.to_string()};
}

void unit::collect(const provenance& from) {
    for (const auto& entry : objects_) {
        collect_from(*entry, from);
        if (commit::refresh_fact(env_, *entry, from)) ++told_;
    }
}

const event_entry& unit::declared_event(std::string_view type, const aggregate_entry& raised_by) const {
    const auto declared = env_.domain().events.find(type);
    if (declared != env_.domain().events.end()) return declared->second;
    throw usage_error{"event `" + std::string{type} + "` is not declared in domain `" + env_.domain().name +
                      "`; add it to `.events<…>()` of `" + raised_by.cpp_name + "`"};
}

void unit::collect_from(tracked& from, const provenance& origin) {
    const aggregate_entry& type = *from.type;
    for (recorded_event& recorded : aggregate_access::take_events(*from.object)) {
        const event_entry& event = declared_event(recorded.type, type);
        const envelope::payload data{std::move(recorded.data)};
        ++from.raised;
        const std::string version = std::to_string(commit::next_version(from));
        commit::event_place place{.stream = commit::stream_of(type.category, from.id), .sequence = version};
        if (type.sourcing) {
            commit::retell(from, recorded.type, data.value());
        } else {
            place.sequence += "." + std::to_string(from.raised);
        }
        store::event_write write = commit::write_event(env_, event, type, from.id, place, data, origin);
        if (type.sourcing) write.expected_position = commit::next_version(from);
        events_.push_back(std::move(write));
        ++told_;
    }
}

void unit::add_command(const command_entry& command, const envelope::payload& data, json::object extensions,
                       std::string id, const provenance& from, const commit::command_terms& terms) {
    const aggregate_entry& type = env_.domain().aggregate(command.aggregate);
    static_cast<void>(session(type.database));
    events_.push_back(
        commit::write_command(env_, command, type, data, std::move(extensions), std::move(id), from, terms));
    ++told_;
}

void unit::insert_command(const extent& before, const command_entry& command, const envelope::payload& data,
                          json::object extensions, std::string id, const provenance& from,
                          const commit::command_terms& terms) {
    const aggregate_entry& type = env_.domain().aggregate(command.aggregate);
    // A unit works on one database, which need not be that of the command's aggregate.
    events_.insert(events_.begin() + static_cast<std::ptrdiff_t>(before.events),
                   commit::write_command(env_, command, type, data, std::move(extensions), std::move(id), from, terms));
    ++told_;
}

std::optional<store::command_outcome> unit::outcome_of(const command_entry& command, std::string_view key) {
    for (const store::command_outcome& own : outcomes_) {
        if (own.key == key) return own;
    }
    const std::string& database = env_.domain().aggregate(command.aggregate).database;
    if (session_ && database == database_) return (*session_)->outcome_of(key, env_.time().now());
    return commit::find_outcome(env_, database, key);
}

void unit::record(const command_entry& command, store::command_outcome outcome) {
    static_cast<void>(session(env_.domain().aggregate(command.aggregate).database));
    outcomes_.push_back(std::move(outcome));
}

void unit::append(const std::string& database, store::event_write write) {
    static_cast<void>(session(database));
    events_.push_back(std::move(write));
    ++told_;
}

void unit::schedule(const std::string& database, store::scheduled_message message) {
    static_cast<void>(session(database));
    schedule_.add(std::move(message));
    ++told_;
}

void unit::cancel(const std::string& database, const std::string& scheduled_id) {
    static_cast<void>(session(database));
    schedule_.cancel(scheduled_id);
}

store::inbox_answer unit::seen_before(const store::inbox_mark& mark) {
    const bool is_here = std::ranges::find(guards_, mark) != guards_.end();
    return is_here ? store::inbox_answer::handled : look_in_inbox(mark);
}

store::inbox_answer unit::look_in_inbox(const store::inbox_mark& mark) {
    // Borrowed for the look only: a handler that touches no repository must not hold a connection.
    auto look = env_.sessions(session_ ? database_ : std::string{default_database}).borrow();
    return look->look_in_inbox(mark);
}

bool unit::was_handled_elsewhere() {
    return std::ranges::any_of(
        guards_, [this](const store::inbox_mark& own) { return look_in_inbox(own) == store::inbox_answer::handled; });
}

void unit::warn_about_several_types(const store::commit_batch& batch) const {
    if (guards_.size() > 1) return;  // each message may have changed one
    std::set<std::string> types;
    for (const auto& write : batch.states) types.insert(write.aggregate);
    for (const auto& entry : objects_) {
        if (entry->type->sourcing && entry->raised > 0) types.insert(entry->type->name);
    }
    if (types.size() < 2) return;
    std::string names;
    for (const std::string& type : types) names += (names.empty() ? "" : ", ") + type;
    observe::log(observe::level::warn, "unit.several_aggregate_types",
                 {{"aggregates", names}, {"remedy", "change one aggregate per unit and react to its event"}});
}

store::commit_batch unit::make_batch() {
    store::commit_batch batch;
    std::vector<violation> violations;
    for (const auto& entry : objects_) {
        if (entry->type->sourcing) {
            const auto interval = commit::snapshot_interval(*entry->type, env_.configuration().event_sourcing);
            commit::write_history(*entry, interval, batch, violations);
        } else {
            commit::write_state(*entry, batch, violations);
        }
    }
    if (!violations.empty()) throw validation_error{"unit of work", std::move(violations)};
    batch.events = std::move(events_);
    for (const auto& entry : objects_) {
        if (entry->fact) batch.events.push_back(std::move(*entry->fact));
    }
    batch.outcomes = std::move(outcomes_);
    schedule_.move_to(batch);
    batch.at = env_.time().now();
    if (!batch.empty()) batch.marks = guards_;
    batch.fence = fence_;
    if (!guards_.empty() && database_ == default_database) batch.kept = kept_;
    return batch;
}

void unit::write(const store::commit_batch& batch) {
    const auto* const spans = env_.tracer().spans();
    if (spans == nullptr) return (*session_)->commit(batch);
    observe::span writing = spans->begin("commit " + database_, span_kind::client, span_.context());
    if (writing.is_recording()) {
        const auto found = env_.configuration().databases.find(database_);
        if (found != env_.configuration().databases.end()) {
            writing.set_text("db.system.name", found->second.provider);
        }
        writing.set_text("db.operation.name", "COMMIT");
        writing.set_text("sluice.database", database_);
        writing.set("sluice.messages", static_cast<std::int64_t>(batch.events.size()));
        writing.set("sluice.aggregates", static_cast<std::int64_t>(batch.states.size()));
    }
    observe::within(writing, [&] { (*session_)->commit(batch); });
}

void unit::commit() {
    const observe::log_scope scope{env_.log()};
    if (doomed_) {
        throw usage_error{"this unit of work cannot commit, because a part of it rolled back; nothing was written"};
    }
    const store::commit_batch batch = make_batch();
    if (batch.empty()) return span_.set_text("sluice.outcome", "nothing to write");
    if (fence_ && database_ != default_database) {
        throw usage_error{"a sequential handler changed something in database `" + database_ +
                          "`; its lease is in `default`, so what it changes must live there"};
    }
    warn_about_several_types(batch);
    try {
        write(batch);
    } catch (const store_error&) {
        session_->discard();
        throw;
    } catch (const store::duplicate_message&) {
        if (was_handled_elsewhere()) throw;
        throw usage_error{
            "a new event of this unit has the id of an old one, because an aggregate was added under an "
            "identity that was removed before; identities are not used twice, choose a new one"};
    } catch (const store::duplicate_outcome&) {
        throw expected_version_error{commit::text_of_keys(batch.outcomes) +
                                     " in use: somebody else has processed the same command a moment ago. Nothing was "
                                     "written; try again to get the outcome"};
    }
    span_.set_text("sluice.outcome", "committed");
    has_settled_ = batch.kept.has_value();
    if (!batch.events.empty()) env_.lanes().wake(database_);
    if (!batch.scheduled.empty()) env_.schedules().wake(database_);
}

aggregate_root* unit_view::find(std::string_view id, bool locks) const { return unit_.find(aggregate_, id, locks); }

aggregate_root& unit_view::get(std::string_view id, bool locks) const {
    if (aggregate_root* found = find(id, locks)) return *found;
    throw not_found_error{"there is no " + std::string{aggregate_} + " with identity `" + std::string{id} + "`"};
}

aggregate_root& unit_view::add(std::unique_ptr<aggregate_root> object) const {
    return unit_.add(aggregate_, std::move(object));
}

void unit_view::remove(const aggregate_root& object) const { unit_.remove(aggregate_, object); }

std::vector<aggregate_root*> unit_view::find_by(std::string_view field, const json::value& equals) const {
    constexpr std::size_t limit = 1000;
    return unit_.find_by(aggregate_, field, &equals, limit);
}

std::unique_ptr<aggregate_root> unit_view::at_version(std::string_view id, std::int64_t version) const {
    return unit_.at_version(aggregate_, id, version);
}

std::unique_ptr<aggregate_root> unit_view::at_time(std::string_view id, date_time time) const {
    return unit_.at_time(aggregate_, id, time);
}

std::vector<aggregate_root*> unit_view::all(std::size_t limit) const {
    return unit_.find_by(aggregate_, {}, nullptr, limit);
}

}  // namespace sluice::detail
