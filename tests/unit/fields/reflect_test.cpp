#include <sluice/reflect.hpp>

#include <gmock/gmock.h>

#include <map>
#include <string>
#include <vector>

namespace reflect = sluice::reflect;

namespace depot {

struct Address {
    std::string street;
    std::string city;
};

struct Converting {
    Converting() = default;
    Converting(int) {}                 // NOLINT(google-explicit-constructor)
    Converting(const char*) {}         // NOLINT(google-explicit-constructor)
    Converting(const std::string&) {}  // NOLINT(google-explicit-constructor)
};

struct GreedyBox {
    GreedyBox() = default;
    template <class T>
        requires std::integral<T> GreedyBox(T) {}  // NOLINT(google-explicit-constructor)
};

struct OrderShipped {
    static constexpr int contract = 7;
    std::string order_id;
    std::optional<Converting> carrier{};
    std::vector<Address> stops;
    std::map<std::string, int> weights;
    Address address;
    Converting converting;
    GreedyBox box;
    std::array<int, 3> triple{};
    int quantity = 5;
};

struct Nothing {};
struct OnlyOne {
    std::vector<std::string> values;
};
struct Base {};
struct WithBase : Base {
    int x = 0;
};
struct BaseWithState {
    int y = 0;
};
struct WithBaseWithState : BaseWithState {
    int x = 0;
};

template <class A, class B>
struct Pair {
    A first;
    B second;
};

struct Forty {
    int f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16, f17, f18, f19, f20;
    int f21, f22, f23, f24, f25, f26, f27, f28, f29, f30, f31, f32, f33, f34, f35, f36, f37, f38, f39, f40;
};
struct TooMany {
    int f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16, f17, f18, f19, f20;
    int f21, f22, f23, f24, f25, f26, f27, f28, f29, f30, f31, f32, f33, f34, f35, f36, f37, f38, f39, f40, f41;
};

class Order {
public:
    explicit Order(std::string id) : order_id_{std::move(id)} {}
    [[nodiscard]] const std::string& id() const { return order_id_; }

    int not_listed = 0;

private:
    std::string order_id_;
    int status_ = 3;

    BOOST_DESCRIBE_CLASS(Order, (), (), (), (order_id_, status_))
};

struct Chosen {
    int kept = 1;
    int dropped = 2;
    BOOST_DESCRIBE_CLASS(Chosen, (), (kept), (), ())
};

enum class status { draft, placed = 3, shipped, refunded = 127, lost = -16, also_lost = -16, beyond = 128 };
enum class small : unsigned char { first, second = 120 };
enum old_style : int { old_one = 1, old_two };
enum class yes_no : bool { no, yes };
enum unfixed { far = 1000, farther = 2000 };
BOOST_DESCRIBE_ENUM(unfixed, far, farther)
enum class described { one = 1, thousand = 1000 };
BOOST_DESCRIBE_ENUM(described, one, thousand)

}  // namespace depot

namespace {

struct Hidden {
    int a = 0;
    std::string b;
};
enum class hidden_enum { here, there };

template <class T>
std::vector<std::string_view> names_of() {
    const auto& names = reflect::field_names<T>();
    return {names.begin(), names.end()};
}

template <class E>
std::vector<std::string_view> enum_names_of() {
    const auto& names = reflect::enum_names<E>();
    return {names.begin(), names.end()};
}

using testing::ElementsAre;
using testing::IsEmpty;

TEST(reflect, names_the_members_of_a_plain_struct_in_declaration_order) {
    EXPECT_THAT(names_of<depot::OrderShipped>(), ElementsAre("order_id", "carrier", "stops", "weights", "address",
                                                             "converting", "box", "triple", "quantity"));
    EXPECT_THAT(names_of<depot::OnlyOne>(), ElementsAre("values"));
    EXPECT_THAT(names_of<depot::Nothing>(), IsEmpty());
    EXPECT_THAT((names_of<depot::Pair<int, depot::Pair<int, long>>>()), ElementsAre("first", "second"));
}

TEST(reflect, static_members_do_not_count) { EXPECT_EQ(reflect::field_count<depot::OrderShipped>(), 9U); }

TEST(reflect, reads_types_that_no_other_file_can_name) {
    struct Local {
        int x = 1;
        double y = 2;
    };
    EXPECT_THAT(names_of<Local>(), ElementsAre("x", "y"));
    EXPECT_THAT(names_of<Hidden>(), ElementsAre("a", "b"));
    EXPECT_THAT(enum_names_of<hidden_enum>(), ElementsAre("here", "there"));
    EXPECT_EQ(reflect::short_type_name<Local>(), "Local");
    EXPECT_EQ(reflect::short_type_name<Hidden>(), "Hidden");
}

TEST(reflect, takes_forty_members_and_not_one_more) {
    EXPECT_EQ(reflect::field_count<depot::Forty>(), 40U);
    EXPECT_EQ(reflect::field_names<depot::Forty>()[39], "f40");
    EXPECT_FALSE(reflect::reflectable<depot::TooMany>);
}

TEST(reflect, base_classes_and_other_classes_are_not_plain) {
    EXPECT_FALSE(reflect::reflectable<depot::WithBase>);
    EXPECT_FALSE(reflect::reflectable<depot::WithBaseWithState>);
    EXPECT_FALSE(reflect::reflectable<std::string>);
    EXPECT_FALSE((reflect::reflectable<std::array<int, 2>>));
    EXPECT_FALSE(reflect::reflectable<int>);
    EXPECT_TRUE(reflect::reflectable<depot::Order>);
}

TEST(reflect, visits_members_and_writes_through_them) {
    depot::Address address{.street = "Main", .city = "Bern"};
    std::string seen;
    reflect::for_each_field(address, [&](std::string_view name, std::string& member) {
        seen += std::string{name} + "=" + member + ";";
        member = "x";
    });
    EXPECT_EQ(seen, "street=Main;city=Bern;");
    EXPECT_EQ(address.city, "x");

    const depot::Address constant{.street = "a", .city = "b"};
    std::size_t visited = 0;
    reflect::for_each_field(constant, [&](std::string_view, const std::string&) { ++visited; });
    EXPECT_EQ(visited, 2U);
}

TEST(reflect, reads_private_state_that_is_described_and_strips_the_underscore) {
    EXPECT_THAT(names_of<depot::Order>(), ElementsAre("order_id", "status"));
    depot::Order order{"o1"};
    reflect::for_each_field(order, [](std::string_view, auto& member) {
        if constexpr (std::is_same_v<std::decay_t<decltype(member)>, std::string>) member = "o2";
    });
    EXPECT_EQ(order.id(), "o2");
}

TEST(reflect, a_description_wins_over_what_could_be_found_without_it) {
    EXPECT_THAT(names_of<depot::Chosen>(), ElementsAre("kept"));
}

TEST(reflect, names_types) {
    static_assert(reflect::type_name<depot::OrderShipped>() == "depot::OrderShipped");
    static_assert(reflect::short_type_name<depot::OrderShipped>() == "OrderShipped");
    static_assert(reflect::type_name<depot::status>() == "depot::status");
    static_assert(reflect::short_type_name<int>() == "int");
    static_assert(reflect::short_type_name<depot::Pair<depot::Address, depot::Nothing>>().starts_with("Pair<depot::"));
}

TEST(reflect, names_enumerators) {
    EXPECT_THAT(enum_names_of<depot::status>(), ElementsAre("lost", "draft", "placed", "shipped", "refunded"));
    EXPECT_EQ(reflect::enum_name(depot::status::placed), "placed");
    EXPECT_EQ(reflect::enum_name(depot::status::beyond), "");
    EXPECT_EQ(reflect::enum_from_name<depot::status>("lost"), depot::status::lost);
    EXPECT_EQ(reflect::enum_from_name<depot::status>("Placed"), std::nullopt);
    EXPECT_EQ(reflect::enum_from_name<depot::status>(""), std::nullopt);

    EXPECT_EQ(reflect::enum_name(depot::small::second), "second");
    EXPECT_THAT(enum_names_of<depot::old_style>(), ElementsAre("old_one", "old_two"));
    EXPECT_THAT(enum_names_of<depot::yes_no>(), ElementsAre("no", "yes"));
}

TEST(reflect, prefers_described_enumerators) {
    EXPECT_THAT(enum_names_of<depot::described>(), ElementsAre("one", "thousand"));
    EXPECT_EQ(reflect::enum_name(depot::described::thousand), "thousand");
    EXPECT_EQ(reflect::enum_from_name<depot::unfixed>("farther"), depot::farther);
}

}  // namespace
