#pragma once

#include <optional>

#include <sluice/sluice.hpp>

namespace shop {

class Order;

struct OrderPlaced {
    static constexpr sluice::event_of<Order> contract{};  // stays inside
    sluice::identifier order_id;
    sluice::date_time placed_at;
};

struct OrderNoteAdded {
    static constexpr sluice::event_of<Order> contract{};  // stays inside
    sluice::identifier order_id;
    sluice::text note;
};

struct OrderShipped {
    static constexpr sluice::event_of<Order> contract{.published = true};  // part of the public contract
    sluice::identifier order_id;
    sluice::date_time shipped_at;
    std::optional<sluice::string<50>> tracking_number{};
};

enum class order_status { placed, shipped };

/// An order of the shop. It ships once.
class Order : public sluice::aggregate<Order> {
public:
    Order() = default;

    static Order place(const sluice::identifier& order_id, sluice::date_time at) {
        Order order;
        order.order_id_ = order_id;
        order.raise(OrderPlaced{.order_id = order_id, .placed_at = at});
        return order;
    }

    void add_note(const sluice::text& note) {
        ++notes_;
        raise(OrderNoteAdded{.order_id = order_id_, .note = note});
    }

    void ship(sluice::date_time at, const std::optional<sluice::string<50>>& tracking_number) {
        if (status_ == order_status::shipped) {
            throw sluice::validation_error{"Order", {{"status", "the order is shipped already"}}};
        }
        status_ = order_status::shipped;
        raise(OrderShipped{.order_id = order_id_, .shipped_at = at, .tracking_number = tracking_number});
    }

private:
    sluice::identifier order_id_;
    order_status status_ = order_status::placed;
    int notes_ = 0;

    BOOST_DESCRIBE_CLASS(Order, (), (), (), (order_id_, status_, notes_))
};

}  // namespace shop
