#pragma once

#include "account.hpp"

namespace bank {

// [statement]
/// What the counter shows of an account: a table that can be asked in SQL, too.
struct Statement {
    static constexpr sluice::projection_of contract{.name = "statement"};
    sluice::identifier account_id;
    sluice::string<60> owner;
    std::int64_t balance = 0;
    std::int64_t movements = 0;
    std::optional<sluice::date_time> last_movement;
};

struct statement_projector {
    void operator()(const AccountOpened& e, sluice::read_model<Statement>& rows) const {
        rows.put({.account_id = e.account_id, .owner = e.owner, .last_movement = {}});
    }
    template <class Movement>
        requires requires { &Movement::cents; }
    void operator()(const Movement& e, sluice::read_model<Statement>& rows, const sluice::message& m) const {
        rows.update(e.account_id.view(), [&](Statement& row) {
            row.balance += direction_of(e) * e.cents;
            ++row.movements;
            row.last_movement = m.metadata().headers.time;
        });
    }

private:
    static int direction_of(const MoneyDeposited&) { return 1; }
    static int direction_of(const MoneyWithdrawn&) { return -1; }
    static int direction_of(const MoneySent&) { return -1; }
    static int direction_of(const MoneyReceived&) { return 1; }
    static int direction_of(const MoneyReturned&) { return 1; }
};
// [/statement]

}  // namespace bank
