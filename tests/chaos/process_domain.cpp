#include <chrono>
#include <cstdint>
#include <string>
#include <utility>

#include "support/bank.hpp"

/// The bank in a hurry: a transfer that does not arrive comes back after a moment, which many kills fall into. Beside
/// the process stand one of each of the other kinds that handle messages: a sequential handler, a handler that submits
/// a command, and a projector.
namespace bank {

class Receipt;

/// What was heard of one transfer, from each of two streams in the order of arrival.
class Diary : public sluice::aggregate<Diary> {
public:
    Diary() = default;
    explicit Diary(sluice::identifier id) : transfer_id_{std::move(id)} {}

    void hear_of_payment(const std::string& what) { append(payment_, what); }
    void hear_of_money(const std::string& what) { append(money_, what); }

private:
    static void append(std::string& to, const std::string& what) { to += (to.empty() ? "" : " ") + what; }

    sluice::identifier transfer_id_;
    std::string payment_;
    std::string money_;
    BOOST_DESCRIBE_CLASS(Diary, (), (), (), (transfer_id_, payment_, money_))
};

struct diary_keeper {
    template <class Event>
    static std::string sequential_key(const Event& event) {
        if constexpr (requires { event.reference; }) {
            return event.reference;
        } else {
            return event.transfer_id.str();
        }
    }

    void operator()(const TransferRequested& e, sluice::context& in) const { of(e, in).hear_of_payment("requested"); }
    void operator()(const TransferAccepted& e, sluice::context& in) const { of(e, in).hear_of_payment("accepted"); }
    void operator()(const TransferExpired& e, sluice::context& in) const { of(e, in).hear_of_payment("expired"); }
    void operator()(const Withdrawn& e, sluice::context& in) const { of(e, in).hear_of_money("withdrawn"); }
    void operator()(const Deposited& e, sluice::context& in) const { of(e, in).hear_of_money("deposited"); }

private:
    static Diary& of(const auto& event, sluice::context& in) {
        const std::string id = sequential_key(event);
        const auto diaries = in.repository<Diary>();
        Diary* known = diaries.find(id);
        return known != nullptr ? *known : diaries.add(Diary{sluice::identifier{id}});
    }
};

struct ReceiptIssued {
    static constexpr sluice::event_of<Receipt> contract{};
    sluice::identifier transfer_id;
};

class Receipt : public sluice::aggregate<Receipt> {
public:
    Receipt() = default;
    explicit Receipt(sluice::identifier id) : transfer_id_{std::move(id)} {}
    void issue() {
        ++copies_;
        raise(ReceiptIssued{.transfer_id = transfer_id_});
    }

private:
    sluice::identifier transfer_id_;
    int copies_ = 0;
    BOOST_DESCRIBE_CLASS(Receipt, (), (), (), (transfer_id_, copies_))
};

struct IssueReceipt {
    static constexpr sluice::command_of<Receipt> contract{};
    sluice::identifier transfer_id;
};

/// Would issue a second receipt without a word: only the inbox keeps it from that.
struct receipt_commands {
    void operator()(const IssueReceipt& c, sluice::context& in) const {
        const auto receipts = in.repository<Receipt>();
        Receipt* known = receipts.find(c.transfer_id.view());
        (known != nullptr ? *known : receipts.add(Receipt{c.transfer_id})).issue();
    }
};

struct cashier {
    void operator()(const TransferAccepted& e, sluice::context& in) const {
        in.submit(IssueReceipt{.transfer_id = e.transfer_id});
    }
    void operator()(const TransferExpired& e, sluice::context& in) const {
        in.submit(IssueReceipt{.transfer_id = e.transfer_id});
    }
};

class Tally;

struct Tallied {
    static constexpr sluice::event_of<Tally> contract{};
    sluice::identifier tally_id;
};

/// A count that every transfer changes.
class Tally : public sluice::aggregate<Tally> {
public:
    Tally() = default;
    explicit Tally(sluice::identifier id) : tally_id_{std::move(id)} {}
    void add() {
        ++entries_;
        raise(Tallied{.tally_id = tally_id_});
    }

private:
    sluice::identifier tally_id_;
    int entries_ = 0;
    BOOST_DESCRIBE_CLASS(Tally, (), (), (), (tally_id_, entries_))
};

inline void add_to_tallies(const char* first, const char* second, sluice::context& in) {
    const auto tallies = in.repository<Tally>();
    for (const char* id : {first, second}) {
        Tally* known = tallies.find(id);
        (known != nullptr ? *known : tallies.add(Tally{id})).add();
    }
}

/// Two who change the same two aggregates at the same time, each beginning with another: only a joint order of locks
/// keeps the store from a deadlock.
struct teller {
    void operator()(const TransferRequested& /*e*/, sluice::context& in) const { add_to_tallies("one", "two", in); }
};
struct auditor {
    void operator()(const TransferRequested& /*e*/, sluice::context& in) const { add_to_tallies("two", "one", in); }
};

struct AccountBook {
    static constexpr sluice::projection_of contract{.name = "account_book"};
    sluice::identifier account_id;
    std::int64_t change = 0;  ///< since it was opened
    std::int64_t movements = 0;
};

struct account_book_projector {
    void operator()(const Withdrawn& e, sluice::read_model<AccountBook>& rows) const {
        move(e.account_id, -e.amount, rows);
    }
    void operator()(const Deposited& e, sluice::read_model<AccountBook>& rows) const {
        move(e.account_id, e.amount, rows);
    }

private:
    static void move(const sluice::identifier& account, std::int64_t amount, sluice::read_model<AccountBook>& rows) {
        rows.upsert(account.view(), [amount](AccountBook& row) {
            row.change += amount;
            ++row.movements;
        });
    }
};

inline sluice::domain make_hurried_domain() {
    patience = std::chrono::milliseconds{300};
    sluice::domain bank = make_domain();
    bank.aggregate<Diary>();
    bank.aggregate<Receipt>().events<ReceiptIssued>();
    bank.event_handler<diary_keeper, TransferRequested, TransferAccepted, TransferExpired, Withdrawn, Deposited>(
        {.concurrency = 4});
    bank.aggregate<Tally>().events<Tallied>();
    bank.event_handler<teller, TransferRequested>();
    bank.event_handler<auditor, TransferRequested>();
    bank.event_handler<cashier, TransferAccepted, TransferExpired>();
    bank.command_handler<receipt_commands, IssueReceipt>();
    bank.projector<account_book_projector, AccountBook, Withdrawn, Deposited>();
    return bank;
}

}  // namespace bank

SLUICE_DOMAIN(bank::make_hurried_domain)
