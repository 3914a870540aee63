#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "store/postgresql/connection.hpp"
#include "store/postgresql/parameters.hpp"
#include "store/postgresql/result.hpp"

namespace sluice::store::postgresql {

/// One round trip: statements in one or more transactions, sent together, then all their answers.
///
///     exchange trip{db};
///     const auto row = trip.add(load, parameters{aggregate, id});
///     trip.run();
///     use(trip[row].text(0, 1));
///
/// Thread safety: that of the connection.
class exchange {
public:
    struct raw_tag {};
    /// Sends nothing but what is added: for what stands outside of transactions.
    static constexpr raw_tag raw{};

    explicit exchange(connection& over) : over_{over} {}
    exchange(connection& over, raw_tag /*tag*/) : over_{over}, raw_{true} {}
    exchange(const exchange&) = delete;
    exchange& operator=(const exchange&) = delete;

    /// The next transaction sees one snapshot of the database in all its statements. Call it before the first of them.
    void begin_snapshot();
    /// Adds a statement to the current transaction. Returns the place of its answer.
    std::size_t add(const statement& what, const parameters& with = parameters{});
    /// Asks the server to hand over the answers so far before it goes on.
    void flush();
    /// Commits the current transaction; what is added next belongs to another. Nothing is committed when one of its
    /// statements failed.
    void end();
    /// Ends the last transaction, sends everything and reads every answer.
    /// @throws statement_error  the first refusal; the other transactions of this round trip took place
    /// @throws connection_lost  what was under way may have happened; answers that arrived can be read
    void run();

    [[nodiscard]] const result& operator[](std::size_t place) const { return answers_.at(place); }
    [[nodiscard]] result take(std::size_t place) { return std::move(answers_.at(place)); }

private:
    enum class step { prepare, query, aside, end };
    enum class block { none, implicit, explicit_one };
    struct sent {
        step what = step::aside;
        std::string name{};  ///< of the statement to prepare
        std::size_t place = 0;
    };

    void begin(const statement& how);
    void send(const statement& what, const parameters& with);
    void send_aside(const statement& what, const parameters& with);
    void read_all();
    void read(const sent& expected);
    [[nodiscard]] result next_answer();
    /// Sends and receives until an answer is there.
    void wait_for_answer();
    void roll_back();

    connection& over_;
    bool raw_ = false;
    block open_ = block::none;  ///< the transaction that has begun
    std::vector<sent> sent_;
    std::vector<result> answers_;
    result refusal_;
    std::size_t refused_ = 0;  ///< the place of the statement
    std::chrono::steady_clock::time_point give_up_{};
};

}  // namespace sluice::store::postgresql
