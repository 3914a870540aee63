#pragma once

#include <sluice/sluice.hpp>

namespace shop {

/// What the customer was told about an order: the internal reaction to a shipment.
class Notice : public sluice::aggregate<Notice> {
public:
    Notice() = default;
    Notice(sluice::identifier order_id, sluice::text message)
        : order_id_{std::move(order_id)}, message_{std::move(message)} {}

private:
    sluice::identifier order_id_;
    sluice::text message_;

    BOOST_DESCRIBE_CLASS(Notice, (), (), (), (order_id_, message_))
};

}  // namespace shop
