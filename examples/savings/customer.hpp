#pragma once

#include <optional>
#include <string>
#include <vector>

#include <sluice/sluice.hpp>

namespace bank {

class Customer;

struct CustomerMoved {
    static constexpr sluice::event_of<Customer> contract{};
    sluice::identifier customer_id;
    std::string city;
};

// [parts]
/// A value object: no identity, replaced as a whole, and only valid as a whole.
struct Address {
    sluice::string<80> street;
    sluice::string<80> city;

    void check(sluice::violations& broken) const {
        if (city.empty()) broken.add("city", "must not be empty");
    }
};

/// An entity: it has an identity within its aggregate and is reached through the aggregate only.
struct Card {
    sluice::identifier number;
    int limit = 0;

    void check(sluice::violations& broken) const {
        if (limit < 0) broken.add("limit", "must not be negative");
    }
};
// [/parts]

// [customer]
class Customer : public sluice::aggregate<Customer> {
public:
    Customer() = default;
    explicit Customer(const sluice::identifier& customer_id) : customer_id_{customer_id} {}

    void move_to(const Address& address) {
        change([&] {
            address_ = address;
            raise(CustomerMoved{.customer_id = customer_id_, .city = address.city.str()});
        });
    }
    void add_card(const Card& card) {
        change([&] { cards_.push_back(card); });
    }
    void block() { blocked_ = true; }

    // The conditions for a change to begin.
    void check_before(sluice::violations& broken) const {
        if (blocked_) broken.add({}, "is blocked");
    }
    // The invariants, which always hold.
    void check(sluice::violations& broken) const {
        if (cards_.size() > 3) broken.add("cards", "are too many");
    }

private:
    sluice::identifier customer_id_;
    std::optional<Address> address_;
    std::vector<Card> cards_;
    bool blocked_ = false;

    BOOST_DESCRIBE_CLASS(Customer, (), (), (), (customer_id_, address_, cards_, blocked_))
};
// [/customer]

}  // namespace bank
