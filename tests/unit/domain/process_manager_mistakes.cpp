// Must not compile: each of the mistakes below is told in words by the compiler.
#include <sluice/sluice.hpp>

namespace shop {

class Order;

struct OrderPlaced {
    static constexpr sluice::event_of<Order> contract{};
    sluice::identifier order_id;
    int number = 0;
};

class Delivery : public sluice::process_manager<Delivery> {
public:
#if !defined(WITHOUT_REACTION)
    void on(const OrderPlaced&, sluice::context&) {
#if defined(WITHOUT_TIMEOUT)
        in_time("late", std::chrono::hours{1});
#endif
    }
#endif

private:
    int steps_ = 0;
    BOOST_DESCRIBE_CLASS(Delivery, (), (), (), (steps_))
};

void declare(sluice::domain& shop) {
#if defined(BY_NUMBER)
    shop.process_manager<Delivery>().starts<OrderPlaced>(&OrderPlaced::number);
#else
    shop.process_manager<Delivery>().starts<OrderPlaced>(&OrderPlaced::order_id);
#endif
}

}  // namespace shop
