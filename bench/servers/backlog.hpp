#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "servers/pg_link.hpp"

namespace sluice::bench {

/// Events that wait for their brokers, made by SQL in the form that a commit gives them.
class backlog {
public:
    /// Makes the tables and the events: one is committed by Sluice, the others are copies of it under other names.
    /// @param history  events before them that are published already, with short bodies
    backlog(std::string uri, std::size_t rows, std::vector<std::string> targets, std::size_t history = 0);

    /// Makes all of them wait again, with no lease taken, and leaves the tables as a vacuum leaves them.
    void reset() const;

    [[nodiscard]] const std::string& uri() const noexcept { return uri_; }
    [[nodiscard]] std::size_t rows() const noexcept { return rows_; }
    /// `metadata` of an event as it leaves for an external broker, to be sent by the bare loops.
    [[nodiscard]] const std::string& external_metadata() const noexcept { return external_metadata_; }

private:
    void add_history() const;

    std::string uri_;
    std::size_t rows_;
    std::vector<std::string> targets_;
    pg_link db_;
    std::size_t history_;
    std::string external_metadata_;
};

/// Empties log and outbox but for the memory of one event, which the session keeps for `add_copies`.
void keep_only_template(const pg_link& db, const std::string& message_id);
/// Adds copies of that event to the log, for each target. 10,000 streams take turns.
void add_copies(const pg_link& db, std::size_t copies, const std::vector<std::string>& targets);

}  // namespace sluice::bench
