#pragma once

#include <sluice/sluice.hpp>

namespace fulfillment {

class Shipment;

struct ShipmentCreated {
    static constexpr sluice::event_of<Shipment> contract{};
    sluice::identifier shipment_id;
    sluice::identifier order_id;
};

/// The other context's own view of an order that has left: it never sees the shop's classes.
class Shipment : public sluice::aggregate<Shipment> {
public:
    Shipment() = default;

    static Shipment create(const sluice::identifier& order_id, const sluice::text& tracking_number) {
        Shipment shipment;
        shipment.shipment_id_ = "shipment-" + order_id.str();
        shipment.order_id_ = order_id;
        shipment.tracking_number_ = tracking_number;
        shipment.raise(ShipmentCreated{.shipment_id = shipment.shipment_id_, .order_id = order_id});
        return shipment;
    }

private:
    sluice::identifier shipment_id_;
    sluice::identifier order_id_;
    sluice::text tracking_number_;

    BOOST_DESCRIBE_CLASS(Shipment, (), (), (), (shipment_id_, order_id_, tracking_number_))
};

}  // namespace fulfillment
