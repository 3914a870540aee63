// Compiled only, by every compiler at hand: the public headers and what a user's domain makes of them.
#include <sluice/codec.hpp>

#include <map>

namespace shop {

enum class status { draft, placed };

struct Address {
    static constexpr auto aliases = sluice::aliases({{"road", "street"}, {"town", "city"}});
    sluice::string<40> street;
    std::string city{};
};

struct OrderShipped {
    static constexpr int contract = 1;
    sluice::identifier order_id;
    sluice::date_time shipped_at;
    std::optional<sluice::string<50>> tracking_number{};
    std::optional<Address> address{};
    std::vector<Address> stops{};
    std::map<std::string, sluice::json::value> extra{};
    status state = status::placed;
    double weight = 0;
    sluice::date day{};
    sluice::decimal<2> price{"19.99"};
    std::chrono::minutes wait{};
    std::optional<sluice::uuid> reference{};
};

class Order {
    sluice::identifier order_id_;
    bool shipped_ = false;
    BOOST_DESCRIBE_CLASS(Order, (), (), (), (order_id_, shipped_))
};

static_assert(sluice::reflect::field_count<OrderShipped>() == 12);
static_assert(sluice::reflect::field_names<OrderShipped>()[2] == "tracking_number");
static_assert(sluice::reflect::field_names<Order>()[1] == "shipped");
static_assert(sluice::reflect::type_name<OrderShipped>() == "shop::OrderShipped");
static_assert(sluice::reflect::enum_name(status::placed) == "placed");
static_assert(sluice::reflect::enum_from_name<status>("draft") == status::draft);

template <class T>
std::string there_and_back(const T& value) {
    sluice::codec::require_valid(value);
    return sluice::codec::encode(sluice::codec::decode<T>(sluice::json::parse(sluice::codec::encode(value)),
                                                          sluice::codec::unknown_keys::ignore));
}

std::string use() {
    const OrderShipped event{.order_id = "o1", .shipped_at = {}, .tracking_number = "T-1"};
    return there_and_back(event) + there_and_back(Order{});
}

}  // namespace shop
