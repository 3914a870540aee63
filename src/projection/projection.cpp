#include "projection/projection.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <utility>

#include <sluice/context.hpp>
#include <sluice/error.hpp>

#include "base/failure_cause.hpp"
#include "base/utf8.hpp"
#include "command/context_state.hpp"
#include "command/repeat.hpp"
#include "commit/message_identity.hpp"
#include "observe/span_source.hpp"
#include "projection/row_unit.hpp"
#include "store/contended_keys.hpp"

namespace sluice::projection {

namespace {

/// Trouble of the surroundings, not of the message: it waits without using up its attempts.
store_error not_ready(const std::string& name, const std::string& why, const std::string& remedy) {
    return store_error{"read model " + name + " " + why + "; " + remedy, error_nature::outage};
}

void require_ready(const detail::table_layout& table, const std::optional<store::projection_gate>& gate) {
    if (!gate) throw not_ready(table.name, "has no table", "run `sluice db setup --domain=…`");
    if (gate->layout != table.fingerprint) {
        throw not_ready(table.name, "has another layout than this build",
                        "run `sluice projection rebuild " + table.name + "` with the newer build, and start only that");
    }
    if (!gate->built) {
        throw not_ready(table.name, "was never built from the events that are older than it",
                        "run `sluice projection rebuild " + table.name + "`");
    }
}

/// Locks one row that was lost to another writer a moment ago, before it is read.
class turn {
public:
    turn(commit::environment& env, store::unit_session& session) : env_{env}, session_{session} {}
    turn(const turn&) = delete;
    turn& operator=(const turn&) = delete;
    ~turn() {
        if (taken_) session_.unlock();
    }

    void take(const std::string& key) {
        if (taken_ || !env_.contention().any()) return;
        if (!env_.contention().is_hot(key, env_.time().monotonic_now())) return;
        try {
            session_.lock(key);
            taken_ = true;
        } catch (const store_error& busy) {
            if (base::cause_of(busy) == base::failure_cause::outage) throw;
        }
    }

private:
    commit::environment& env_;
    store::unit_session& session_;
    bool taken_ = false;
};

/// One attempt, on one session.
class message_projection {
public:
    message_projection(commit::environment& env, const detail::projector_entry& projector, const message& m,
                       const command::message_terms& terms)
        : env_{env},
          projector_{projector},
          message_{m},
          mark_{commit::known_as(m, terms.entry, env.reader_of(projector))} {
        if (env.domain().database_of(projector) == "default") kept_ = terms.kept;
    }

    [[nodiscard]] command::outcome run(store::unit_session& session) const {
        const auto gate = session.look_at_projection(projector_.table.name, mark_);
        require_ready(projector_.table, gate);
        if (gate->done) return command::outcome::duplicate;
        if (gate->other_content) commit::tell_of_reused_id(mark_);

        const store::row_table table{&projector_.table, gate->generation};
        turn at_row{env_, session};
        row_unit rows{[&](std::string_view key) {
            at_row.take(store::row_key(projector_.table.name, key));
            return session.load_row(table, key);
        }};
        apply(rows, session, gate->generation);
        if (!rows.changed()) return command::outcome::handled;
        return commit(session, table, rows);
    }

private:
    void take_step(row_unit& rows) const {
        const auto event = env_.domain().read_event(message_.type().text(), message_.data());
        const auto step = event ? projector_.on.find(event->entry().cpp_name) : projector_.on.end();
        if (step == projector_.on.end()) {
            throw decode_error{"projector " + projector_.name + " does not project messages of type `" +
                               message_.type().text() + "`"};
        }
        const message current = event->is_upcast() ? message_.with_data(event->data()) : message_;
        step->second(current.data(), &current, rows);
    }

    /// A rebuild that ends meanwhile drops the table.
    void apply(row_unit& rows, store::unit_session& session, std::int64_t generation) const {
        try {
            take_step(rows);
        } catch (const store_error& trouble) {
            if (trouble.nature() != error_nature::permanent && trouble.nature() != error_nature::outage) throw;
            const auto now = session.look_at_projection(projector_.table.name, mark_);
            if (now && now->generation != generation) throw expected_version_error{trouble.what()};
            throw;
        }
    }

    [[nodiscard]] command::outcome commit(store::unit_session& session, const store::row_table& table,
                                          const row_unit& rows) const {
        store::commit_batch batch;
        batch.rows = rows.writes(table, env_.random());
        if (batch.rows.empty()) return command::outcome::handled;
        batch.marks.push_back(mark_);
        batch.kept = kept_;
        batch.projection = {.name = projector_.table.name, .generation = table.generation};
        batch.at = env_.time().now();
        try {
            session.commit(batch);
        } catch (const store::duplicate_message&) {
            return command::outcome::duplicate;  // another consumer of the group committed it a moment ago
        }
        return kept_ ? command::outcome::settled : command::outcome::handled;
    }

    commit::environment& env_;
    const detail::projector_entry& projector_;
    const message& message_;
    const store::inbox_mark mark_;
    std::optional<store::kept_removal> kept_{};  ///< when it is in the same database as the rows
};

class committed_rows final : public detail::row_source {
public:
    committed_rows(commit::environment& env, const detail::projector_entry& projector)
        : env_{env}, projector_{projector}, database_{env.domain().database_of(projector)} {}

    [[nodiscard]] const detail::table_layout& layout() const noexcept override { return projector_.table; }

    [[nodiscard]] std::optional<std::string> find(std::string_view key) override {
        if (!base::is_storable(key)) return std::nullopt;
        auto found = env_.sessions(database_).use([&](store::unit_session& s) { return s.load_row(table(), key); });
        return found ? std::optional{std::move(found->row)} : std::nullopt;
    }
    [[nodiscard]] std::vector<std::string> select(const detail::row_query& query) override {
        for (const auto& condition : query.where) require_usable(projector_.table, condition);
        for (const auto& order : query.order) require_usable(projector_.table, order);
        return env_.sessions(database_).use([&](store::unit_session& s) { return s.find_rows(table(), query); });
    }
    [[nodiscard]] std::int64_t count(const detail::row_query& query) override {
        for (const auto& condition : query.where) require_usable(projector_.table, condition);
        return env_.sessions(database_).use([&](store::unit_session& s) { return s.count_rows(table(), query); });
    }

private:
    [[nodiscard]] store::row_table table() const { return {&projector_.table, 0}; }

    commit::environment& env_;
    const detail::projector_entry& projector_;
    const std::string database_;
};

}  // namespace

command::outcome project(commit::environment& env, const detail::projector_entry& projector, const message& m,
                         const command::message_terms& terms) {
    const std::string database = env.domain().database_of(projector);
    const message_projection attempt{env, projector, m, terms};
    observe::span span;
    if (const auto* const spans = env.tracer().spans()) {
        span =
            spans->begin_here("project " + projector.table.name, span_kind::internal, m.metadata().headers.traceparent);
        span.set_text("sluice.read_model", projector.table.name);
        span.set_text("sluice.database", database);
    }
    return observe::within(span, [&] {
        return command::repeat(env, std::nullopt, [&] {
            return env.sessions(database).use([&](store::unit_session& s) { return attempt.run(s); });
        });
    });
}

std::shared_ptr<detail::row_source> rows_of(commit::environment& env, const detail::projector_entry& projector) {
    return std::make_shared<committed_rows>(env, projector);
}

}  // namespace sluice::projection

namespace sluice {

std::shared_ptr<detail::row_source> context::rows_of(std::string_view row) const {
    const detail::projector_entry* projector = state_->env.domain().projector_of(row);
    if (projector == nullptr) {
        throw usage_error{"no projector of domain `" + state_->env.domain().name + "` feeds read model `" +
                          std::string{row} + "`; declare one with `domain.projector<Projector, " + std::string{row} +
                          ", Event…>()`"};
    }
    return projection::rows_of(state_->env, *projector);
}

}  // namespace sluice
