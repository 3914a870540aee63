#include "domain/table_rules.hpp"

#include <gmock/gmock.h>

#include <sluice/sluice.hpp>

#include "unit/domain/problems.hpp"

namespace {

using sluice::detail::column_kind;
using sluice::detail::table_layout;
using sluice::testing::problems_of;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

class Order;
class Customer;

struct OrderPlaced {
    static constexpr sluice::event_of<Order> contract{};
    sluice::identifier order_id;
};
struct CustomerMoved {
    static constexpr sluice::event_of<Customer> contract{};
    sluice::identifier customer_id;
};

class Order : public sluice::aggregate<Order> {
    sluice::identifier order_id_;
    BOOST_DESCRIBE_CLASS(Order, (), (), (), (order_id_))
};
class Customer : public sluice::aggregate<Customer> {
    sluice::identifier customer_id_;
    BOOST_DESCRIBE_CLASS(Customer, (), (), (), (customer_id_))
};

enum class colour { red, green };
struct address {
    std::string city;
};

struct OpenOrders {
    static constexpr sluice::projection_of contract{};
    std::string note;
    sluice::identifier order_id;
    sluice::identifier customer_id;
    sluice::string<10> code;
    colour paint = colour::red;
    std::uint32_t count = 0;
    double weight = 0;
    bool urgent = false;
    sluice::date_time placed;
    std::optional<sluice::date_time> shipped;
    sluice::date due;
    std::optional<sluice::decimal<4>> price;
    std::chrono::minutes took{};
    sluice::uuid reference;
    address to;
    std::vector<int> sizes;
    sluice::json::value extra;
};

struct projector {
    template <class Event>
    void operator()(const Event&, sluice::read_model<OpenOrders>&) const {}
};
struct second_projector : projector {};

table_layout usable() {
    return {.name = "open_orders",
            .columns = {{"order_id", column_kind::text, false}, {"customer", column_kind::text, true}},
            .key = "order_id"};
}

std::string fingerprint_with_digits(int digits) {
    auto table = usable();
    table.columns.push_back({"price", column_kind::decimal, false, digits});
    return fingerprint_of(table);
}

TEST(read_model_table, is_described_by_its_struct) {
    sluice::domain domain{"shop"};
    domain.aggregate<Order>().events<OrderPlaced>();
    domain.projector<projector, OpenOrders, OrderPlaced>();
    EXPECT_EQ(problems_of(domain), "");
    const table_layout& table = domain.declared().projectors.at(0).table;
    EXPECT_EQ(table.name, "open_orders");
    EXPECT_EQ(table.key, "order_id");
    std::vector<column_kind> kinds;
    for (const auto& column : table.columns) kinds.push_back(column.kind);
    using enum column_kind;
    EXPECT_THAT(kinds, ElementsAre(text, text, text, text, text, integer, real, boolean, time, time, date, decimal,
                                   duration, text, json, json, json));
    EXPECT_EQ(table.find("price")->digits, 4);
    EXPECT_TRUE(table.find("shipped")->optional);
    EXPECT_FALSE(table.find("placed")->optional);
    EXPECT_EQ(table.find("nothing"), nullptr);
}

TEST(read_model_table, has_a_name_that_every_database_takes) {
    for (const auto* name : {"a", "_x", "open_orders_2", "order", "abcdefghijabcdefghijabcdefghijabcdefghij"}) {
        auto table = usable();
        table.name = name;
        EXPECT_THAT(problems_of(table), IsEmpty()) << name;
    }
    for (const auto* name :
         {"", "Open", "2nd", "a-b", "a__g1", "a\"b", "käse", "abcdefghijabcdefghijabcdefghijabcdefghijk", "outbox",
          "event_log", "projection", "kept_message", "stand_by", "sluice_x", "pg_x", "sqlite_x", "broker_entry"}) {
        auto table = usable();
        table.name = name;
        EXPECT_THAT(problems_of(table), Not(IsEmpty())) << name;
    }
}

TEST(read_model_table, has_columns_that_every_database_tells_apart) {
    auto table = usable();
    table.columns.push_back({"Customer", column_kind::text, false});
    EXPECT_THAT(problems_of(table), ElementsAre(HasSubstr("upper and lower case")));
    table = usable();
    table.columns.push_back({"sluice_row_version", column_kind::text, false});
    EXPECT_THAT(problems_of(table), ElementsAre(HasSubstr("Sluice's own")));
    table = usable();
    table.columns.push_back({std::string(64, 'x'), column_kind::text, false});
    EXPECT_THAT(problems_of(table), ElementsAre(HasSubstr("63 bytes")));
}

TEST(read_model_table, has_indexes_on_its_columns) {
    auto table = usable();
    table.columns.push_back({"sizes", column_kind::json, false});
    table.indexes = {{"customer", "order_id"}};
    EXPECT_THAT(problems_of(table), IsEmpty());
    table.indexes = {{}, {"costumer"}, {"sizes"}};
    EXPECT_THAT(problems_of(table),
                ElementsAre(HasSubstr("without columns"), HasSubstr("costumer"), HasSubstr("holds JSON")));
}

TEST(read_model_table, is_another_one_when_its_rows_mean_something_else) {
    const auto before = fingerprint_of(usable());
    const auto changed = [&](auto change) {
        auto table = usable();
        change(table);
        return fingerprint_of(table) != before;
    };
    EXPECT_TRUE(changed([](table_layout& t) { t.columns[1].optional = false; }));
    EXPECT_TRUE(changed([](table_layout& t) { t.columns[1].kind = column_kind::json; }));
    EXPECT_TRUE(changed([](table_layout& t) { t.columns.pop_back(); }));
    EXPECT_NE(fingerprint_with_digits(2), fingerprint_with_digits(3));
    EXPECT_TRUE(changed([](table_layout& t) { t.version = 2; }));
    EXPECT_TRUE(changed([](table_layout& t) { t.key = "customer"; }));
    EXPECT_FALSE(changed([](table_layout& t) { t.indexes = {{"customer"}}; })) << "an index can be added at any time";
}

TEST(projector_declaration, reports_every_mistake) {
    sluice::domain domain{"shop"};
    domain.aggregate<Order>().events<OrderPlaced>();
    domain.aggregate<Customer>({.database = "crm"}).events<CustomerMoved>();
    domain.projector<projector, OpenOrders, OrderPlaced, CustomerMoved>();
    EXPECT_THAT(problems_of(domain),
                AllOf(HasSubstr("`default`"), HasSubstr("`crm`"), HasSubstr("no order in common")));
    domain.projector<projector, OpenOrders, OrderPlaced>();
    EXPECT_THAT(problems_of(domain), HasSubstr("declared twice"));
    domain.projector<second_projector, OpenOrders, OrderPlaced>();
    EXPECT_THAT(problems_of(domain), HasSubstr("both feed read model `open_orders`"));
    sluice::domain other{"shop"};
    other.aggregate<Order>();
    other.projector<projector, OpenOrders, OrderPlaced>();
    EXPECT_THAT(problems_of(other), HasSubstr("names event"));
}

}  // namespace
