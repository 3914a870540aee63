#include "notice.hpp"
#include "order.hpp"

namespace shop {

struct PlaceOrder {
    static constexpr sluice::command_of<Order> contract{};
    sluice::identifier order_id;
};

struct AddNote {
    static constexpr sluice::command_of<Order> contract{};
    sluice::identifier order_id;
    sluice::text note;
};

struct ShipOrder {
    static constexpr sluice::command_of<Order> contract{};
    sluice::identifier order_id;
    std::optional<sluice::string<50>> tracking_number{};
};

struct order_commands {
    void operator()(const PlaceOrder& command, sluice::context& shop) const {
        shop.repository<Order>().add(Order::place(command.order_id, shop.now()));
    }
    void operator()(const AddNote& command, sluice::context& shop) const {
        shop.repository<Order>().get(command.order_id.str()).add_note(command.note);
    }
    void operator()(const ShipOrder& command, sluice::context& shop) const {
        shop.repository<Order>().get(command.order_id.str()).ship(shop.now(), command.tracking_number);
    }
};

/// Internal processing: fed by the internal broker, so it goes on whatever the partners' brokers do.
struct notify_customer {
    void operator()(const OrderShipped& event, sluice::context& shop) const {
        const std::string tracking = event.tracking_number ? event.tracking_number->str() : "without tracking";
        shop.repository<Notice>().add(Notice{event.order_id, "Your order is on its way (" + tracking + ")"});
    }
};

sluice::domain make_domain() {
    sluice::domain shop{"shop"};
    shop.aggregate<Order>().events<OrderPlaced, OrderNoteAdded, OrderShipped>();
    shop.aggregate<Notice>();
    shop.command_handler<order_commands, PlaceOrder, AddNote, ShipOrder>();
    shop.event_handler<notify_customer, OrderShipped>();
    return shop;
}

}  // namespace shop

SLUICE_DOMAIN(shop::make_domain)
