#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "store/operations.hpp"
#include "store/postgresql/connection.hpp"
#include "store/postgresql/exchange.hpp"
#include "store/postgresql/parameters.hpp"
#include "store/postgresql/result.hpp"
#include "store/row_sample.hpp"

namespace sluice::store::postgresql {

/// What operators see and change of the outbox: one line for each event and broker, whether it has a row, is in the
/// ledger, or neither. It asks the tables, never the view: so every question is answered by an index.
///
/// Thread safety and lifetime: those of the connection.
class outbox_lines {
public:
    /// How a line is given up.
    struct discarding {
        std::string error{};  ///< JSON
        date_time at{};
        std::optional<date_time> our_time{};  ///< see shared_state
    };

    outbox_lines(connection& db, const std::string& schema) : db_{db}, schema_{schema} {}

    [[nodiscard]] std::map<std::string, outbox_counts> summary() const;
    /// Those that have a number or a row, by name.
    [[nodiscard]] std::vector<std::string> brokers() const;
    /// @param is_stream  the filter's stream is one aggregate's; else it is a category
    [[nodiscard]] std::vector<outbox_row> list(const outbox_filter& filter, bool is_stream) const;
    [[nodiscard]] std::size_t retry(const outbox_filter& filter, bool is_stream) const;
    [[nodiscard]] std::size_t discard(const outbox_filter& filter, bool is_stream, const discarding& how) const;
    void look_again(std::string_view broker, sequence from) const;
    /// The same, with what else is in the transaction.
    void add_look_again(exchange& trip, std::string_view broker, sequence from) const;

private:
    [[nodiscard]] statement sql(std::string_view text) const;
    [[nodiscard]] result ask(std::string_view text, const parameters& with = parameters{}) const;
    /// The same in a transaction that walks keys only.
    [[nodiscard]] result ask_by_key(std::string_view text, const parameters& with) const;
    [[nodiscard]] std::size_t change(std::string_view text, const parameters& with) const;
    void count_rows(std::string_view broker, sequence low, outbox_counts& counts) const;
    void count_events(std::string_view broker, sequence low, outbox_counts& counts) const;
    /// From a sample where the range is too long to count.
    [[nodiscard]] std::int64_t count_pending(std::string_view broker, const number_range& range) const;
    /// How many rows the broker has from one number up to another, from a sample.
    [[nodiscard]] std::int64_t estimate_rows(std::string_view broker, sequence from, sequence upto) const;

    connection& db_;
    const std::string& schema_;
};

}  // namespace sluice::store::postgresql
