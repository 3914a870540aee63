#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <sluice/sluice.hpp>

/// A small domain with read models: crates are packed, filled and shipped, and a summary is kept of each, and of each
/// customer.
namespace depot {

class Crate;
class Customer;

// [events]
struct CratePacked {
    static constexpr sluice::event_of<Crate> contract{};
    sluice::identifier crate_id;
    sluice::identifier customer;
};

struct ItemAdded {
    static constexpr sluice::event_of<Crate> contract{};
    sluice::identifier crate_id;
    sluice::identifier customer;
    int pieces = 1;
};

struct CrateShipped {
    static constexpr sluice::event_of<Crate> contract{};
    sluice::identifier crate_id;
    sluice::date_time at;
};

struct CrateBurnt {
    static constexpr sluice::event_of<Crate> contract{};
    sluice::identifier crate_id;
};

struct CustomerNamed {
    static constexpr sluice::event_of<Customer> contract{};
    sluice::identifier customer;
    std::string name;
};
// [/events]

class Crate : public sluice::aggregate<Crate> {
public:
    Crate() = default;
    Crate(sluice::identifier id, sluice::identifier customer)
        : crate_id_{std::move(id)}, customer_{std::move(customer)} {
        raise(CratePacked{.crate_id = crate_id_, .customer = customer_});
    }
    void add(int pieces) {
        pieces_ += pieces;
        raise(ItemAdded{.crate_id = crate_id_, .customer = customer_, .pieces = pieces});
    }
    void ship(sluice::date_time at) { raise(CrateShipped{.crate_id = crate_id_, .at = at}); }
    void burn() { raise(CrateBurnt{.crate_id = crate_id_}); }

private:
    sluice::identifier crate_id_;
    sluice::identifier customer_;
    int pieces_ = 0;
    BOOST_DESCRIBE_CLASS(Crate, (), (), (), (crate_id_, customer_, pieces_))
};

class Customer : public sluice::aggregate<Customer> {
public:
    Customer() = default;
    explicit Customer(sluice::identifier id) : customer_{std::move(id)} {}
    void rename(const std::string& name) {
        name_ = name;
        raise(CustomerNamed{.customer = customer_, .name = name});
    }

private:
    sluice::identifier customer_;
    std::string name_;
    BOOST_DESCRIBE_CLASS(Customer, (), (), (), (customer_, name_))
};

enum class stage { packed, shipped };

// [read_model]
struct CrateSummary {
    static constexpr sluice::projection_of contract{.name = "crate_summary"};
    sluice::identifier crate_id;  // the first identifier is the key
    std::string customer;
    std::int64_t pieces = 0;
    stage at = stage::packed;
    std::optional<sluice::date_time> shipped_at{};
    std::vector<int> additions{};
};
// [/read_model]

// [projector]
struct crate_summary_projector {
    void operator()(const CratePacked& e, sluice::read_model<CrateSummary>& rows) const {
        rows.put({.crate_id = e.crate_id, .customer = e.customer.str()});
    }
    void operator()(const ItemAdded& e, sluice::read_model<CrateSummary>& rows) const {
        rows.update(e.crate_id.view(), [&](CrateSummary& crate) {
            crate.pieces += e.pieces;
            crate.additions.push_back(e.pieces);
        });
    }
    void operator()(const CrateShipped& e, sluice::read_model<CrateSummary>& rows) const {
        rows.update(e.crate_id.view(), [&](CrateSummary& crate) {
            crate.at = stage::shipped;
            crate.shipped_at = e.at;
        });
    }
    void operator()(const CrateBurnt& e, sluice::read_model<CrateSummary>& rows) const {
        rows.remove(e.crate_id.view());
    }
};
// [/projector]

/// One row for each customer, which the events of many crates change: every event adds, so their order is no matter.
struct CustomerTotals {
    static constexpr sluice::projection_of contract{};
    sluice::identifier customer;
    std::int64_t crates = 0;
    std::int64_t pieces = 0;
    std::string name;
    std::string last_message;
};

struct customer_totals_projector {
    void operator()(const CratePacked& e, sluice::read_model<CustomerTotals>& rows) const {
        rows.upsert(e.customer.view(), [](CustomerTotals& totals) { ++totals.crates; });
    }
    void operator()(const ItemAdded& e, sluice::read_model<CustomerTotals>& rows) const {
        rows.upsert(e.customer.view(), [&](CustomerTotals& totals) { totals.pieces += e.pieces; });
    }
    void operator()(const CustomerNamed& e, sluice::read_model<CustomerTotals>& rows, const sluice::message& m) const {
        rows.upsert(e.customer.view(), [&](CustomerTotals& totals) {
            totals.name = e.name;
            totals.last_message = m.id();
        });
    }
};

struct PackCrate {
    static constexpr sluice::command_of<Crate> contract{};
    sluice::identifier crate_id;
    sluice::identifier customer;
};

struct AddItem {
    static constexpr sluice::command_of<Crate> contract{};
    sluice::identifier crate_id;
    int pieces = 1;
};

struct crate_commands {
    void operator()(const PackCrate& c, sluice::context& in) const {
        in.repository<Crate>().add(Crate{c.crate_id, c.customer});
    }
    void operator()(const AddItem& c, sluice::context& in) const {
        in.repository<Crate>().get(c.crate_id.view()).add(c.pieces);
    }
};

[[nodiscard]] inline sluice::domain make_domain() {
    // [declaration]
    sluice::domain depot{"depot"};
    depot.aggregate<Crate>().events<CratePacked, ItemAdded, CrateShipped, CrateBurnt>();
    depot.aggregate<Customer>().events<CustomerNamed>();
    depot.projector<crate_summary_projector, CrateSummary, CratePacked, ItemAdded, CrateShipped, CrateBurnt>(
        {.indexes = {{"customer"}, {"at", "shipped_at"}}});
    // [/declaration]
    depot.command_handler<crate_commands, PackCrate, AddItem>();
    depot.projector<customer_totals_projector, CustomerTotals, CratePacked, ItemAdded, CustomerNamed>();
    return depot;
}

}  // namespace depot
