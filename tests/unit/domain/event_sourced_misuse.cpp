// Compiles as it is. With MISUSE=1 and so on it must not, and the compiler must say what to do.
#include <sluice/domain.hpp>

#ifndef MISUSE
#define MISUSE 0
#endif

namespace bank {

class Account;

struct AccountOpened {
    static constexpr sluice::event_of<Account> contract{};
    sluice::identifier account_id;
};

struct AccountFrozen {
    static constexpr sluice::event_of<Account> contract{};
    sluice::identifier account_id;
};

class Account : public sluice::event_sourced<Account> {
public:
    Account() = default;
    explicit Account(const sluice::identifier& id) { raise(AccountOpened{.account_id = id}); }
#if MISUSE == 1
    void freeze() { raise(AccountFrozen{.account_id = account_id_}); }
#endif

private:
    friend sluice::event_sourced<Account>;
#if MISUSE == 3
    void check_before(sluice::violations&) const {}  // private: nobody could call it
#endif
    void apply(const AccountOpened& e) { account_id_ = e.account_id; }

    sluice::identifier account_id_;
    BOOST_DESCRIBE_CLASS(Account, (), (), (), (account_id_))
};

inline sluice::domain make_domain() {
    sluice::domain bank{"bank"};
#if MISUSE == 2
    bank.aggregate<Account>().events<AccountOpened, AccountFrozen>();
#else
    bank.aggregate<Account>({.facts = sluice::facts::internal}).events<AccountOpened>();
#endif
    return bank;
}

inline void use([[maybe_unused]] sluice::context& in) {
#if MISUSE == 3
    const Account account{"a-1"};
#elif MISUSE == 4
    in.repository<Account>().remove(in.repository<Account>().get("a-1"));
#elif MISUSE == 5
    static_cast<void>(in.repository<Account>().find_by("owner", "ada"));
#endif
}

}  // namespace bank
