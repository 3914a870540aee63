#include "shipment.hpp"

namespace fulfillment {

struct CreateShipment {
    static constexpr sluice::command_of<Shipment> contract{};
    sluice::identifier order_id;
    sluice::text tracking_number;
};

struct shipment_commands {
    void operator()(const CreateShipment& command, sluice::context& fulfillment) const {
        fulfillment.repository<Shipment>().add(Shipment::create(command.order_id, command.tracking_number));
    }
};

/// The anti-corruption layer: turns the shop's message into a command of this context.
struct order_events {
    void operator()(const sluice::message& m, sluice::context& fulfillment) const {
        if (!m.type().names("OrderShipped")) return;
        fulfillment.process(CreateShipment{.order_id = m.data().at("order_id").as_string(),
                                           .tracking_number = m.data().string_or("tracking_number", "")});
    }
};

sluice::domain make_domain() {
    sluice::domain fulfillment{"fulfillment"};
    fulfillment.aggregate<Shipment>().events<ShipmentCreated>();
    fulfillment.command_handler<shipment_commands, CreateShipment>();
    fulfillment.subscriber<order_events>({.broker = "shop_events", .stream = "shop::order"});
    return fulfillment;
}

}  // namespace fulfillment

SLUICE_DOMAIN(fulfillment::make_domain)
