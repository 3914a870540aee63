// Dates, decimals, durations and UUIDs as members of events, commands and state.
#include <gmock/gmock.h>

#include <map>

#include <sluice/codec.hpp>
#include <sluice/detail/stored.hpp>

#include "domain/kind_text.hpp"
#include "domain/layout.hpp"

namespace invoicing {

// [money]
/// A value object: an amount means nothing without its currency.
struct Money {
    sluice::decimal<2> amount;
    sluice::string<3> currency = "EUR";

    void check(sluice::violations& broken) const {
        if (currency.str().size() != 3) broken.add("currency", "must be a code of ISO 4217");
    }
    friend bool operator==(const Money&, const Money&) = default;
};

struct IssueInvoice {
    sluice::identifier invoice_id;
    sluice::uuid customer;
    sluice::date due;
    Money total;
    sluice::decimal<3> vat_rate;
    std::chrono::hours grace{48};

    void check(sluice::violations& broken) const {
        if (total.amount.is_negative()) broken.add("total.amount", "must not be negative");
    }
    friend bool operator==(const IssueInvoice&, const IssueInvoice&) = default;
};
// [/money]

struct Containers {
    std::optional<sluice::date> day{};
    std::vector<sluice::decimal<2>> amounts{};
    std::map<std::string, std::chrono::milliseconds> waits{};
    sluice::duration exact{};
    std::chrono::weeks weeks{};
    std::vector<sluice::uuid> references{};
    friend bool operator==(const Containers&, const Containers&) = default;
};

struct Grown {  // NOLINT(cppcoreguidelines-pro-type-member-init): that one has no initialiser is the case
    sluice::date day;
    sluice::decimal<2> amount;
    sluice::duration wait;
    sluice::uuid reference;
    sluice::date given_day = std::chrono::year{2026} / 1 / 1;
    sluice::decimal<2> given_amount{"9.99"};
    sluice::duration given_wait{};
    std::chrono::seconds given_seconds{5};
};

}  // namespace invoicing

namespace {

using namespace std::chrono_literals;
using invoicing::Containers;
using invoicing::IssueInvoice;
using sluice::violation;
using sluice::detail::field_tree_of;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
namespace codec = sluice::codec;
namespace json = sluice::json;

template <class T>
std::vector<violation> broken_rules(std::string_view text) {
    try {
        static_cast<void>(codec::decode<T>(json::parse(text)));
        return {};
    } catch (const sluice::validation_error& e) {
        return e.violations();
    }
}

IssueInvoice invoice() {
    return {.invoice_id = "i-1",
            .customer = sluice::uuid::parse("0f8fad5b-d9cb-469f-a165-70867728950e"),
            .due = 2026y / 11 / 23,
            .total = {.amount = sluice::decimal<2>{"1234.50"}},
            .vat_rate = sluice::decimal<3>{"0.190"},
            .grace = 36h};
}

TEST(business_types, are_written_as_exact_text) {
    EXPECT_EQ(codec::encode(invoice()),
              R"({"invoice_id":"i-1","customer":"0f8fad5b-d9cb-469f-a165-70867728950e","due":"2026-11-23",)"
              R"("total":{"amount":"1234.50","currency":"EUR"},"vat_rate":"0.190","grace":"P1DT12H"})");
    EXPECT_EQ(codec::decode<IssueInvoice>(json::parse(codec::encode(invoice()))), invoice());
}

TEST(business_types, may_be_in_lists_maps_and_optionals) {
    const Containers all{.day = sluice::date{2024y / 2 / 29},
                         .amounts = {sluice::decimal<2>{"0.10"}, sluice::decimal<2>{-3}},
                         .waits = {{"a", 1500ms}, {"b", -1ms}},
                         .exact = 1us,
                         .weeks = std::chrono::weeks{2},
                         .references = {sluice::uuid::parse("0f8fad5bd9cb469fa16570867728950e")}};
    EXPECT_EQ(codec::encode(all),
              R"({"day":"2024-02-29","amounts":["0.10","-3.00"],"waits":{"a":"PT1.5S","b":"-PT0.001S"},)"
              R"("exact":"PT0.000001S","weeks":"P14D","references":["0f8fad5b-d9cb-469f-a165-70867728950e"]})");
    EXPECT_EQ(codec::decode<Containers>(json::parse(codec::encode(all))), all);
}

// The payload that Python makes of date, Decimal, timedelta (by pydantic, and as total_seconds()) and UUID (its hex).
TEST(business_types, are_read_as_python_writes_them) {
    const auto read = codec::decode<Containers>(json::parse(
        R"({"day": "2026-11-23", "amounts": ["19.9", "1E+3", "0E-7", 19.90, 5], )"
        R"("waits": {"iso": "PT5400S", "float": 0.25, "int": 90, "negative": -1.5}, )"
        R"("exact": 0.30000000000000004, "weeks": "P2W", "references": ["0F8FAD5BD9CB469FA16570867728950E"]})"));
    EXPECT_THAT(read.amounts, ElementsAre(sluice::decimal<2>{"19.90"}, sluice::decimal<2>{1000}, sluice::decimal<2>{},
                                          sluice::decimal<2>{"19.90"}, sluice::decimal<2>{5}));
    EXPECT_EQ(read.waits.at("iso"), 90min);
    EXPECT_EQ(read.waits.at("float"), 250ms);
    EXPECT_EQ(read.waits.at("int"), 90s);
    EXPECT_EQ(read.waits.at("negative"), -1500ms);
    EXPECT_EQ(read.exact, 300ms);
    EXPECT_EQ(read.references.at(0).to_string(), "0f8fad5b-d9cb-469f-a165-70867728950e");
}

TEST(business_types, name_every_offender_and_the_form_that_is_expected) {
    EXPECT_THAT(
        broken_rules<IssueInvoice>(
            R"({"invoice_id":"i","customer":"c-1","due":"2026-02-30","total":{"amount":"1.005"},"vat_rate":"a lot",)"
            R"("grace":"PT90M"})"),
        ElementsAre(violation{"customer", "is not a UUID, such as 0f8fad5b-d9cb-469f-a165-70867728950e"},
                    violation{"due", "is not a date of the calendar in ISO 8601, such as 2026-11-23"},
                    violation{"total.amount", "has more than 2 digits after the point"},
                    violation{"total.currency", "is required"},
                    violation{"vat_rate", "is not a decimal number, such as 1.999"},
                    violation{"grace", "must be a whole multiple of PT1H"}));
    EXPECT_THAT(
        broken_rules<IssueInvoice>(
            R"({"invoice_id":"i","customer":1,"due":20261123,"total":{"amount":true,"currency":"EUR"},)"
            R"("vat_rate":1e30,"grace":{}})"),
        ElementsAre(violation{"customer", "expected a string, got number"},
                    violation{"due", "expected a string, got number"},
                    violation{"total.amount", "expected a decimal number, as a string or a number, got boolean"},
                    violation{"vat_rate", "must be between -9223372036854775.808 and 9223372036854775.807"},
                    violation{"grace", "expected a duration, as a string or a number of seconds, got object"}));
    EXPECT_THAT(broken_rules<Containers>(R"({"amounts":["1.00",NaN],"waits":{"a":"P1Y"},"exact":1e300,"weeks":"P1D",)"
                                         R"("references":["00000000-0000-0000-0000-000000000000"]})"),
                ElementsAre(violation{"amounts[1]", "is not a decimal number, such as 19.99"},
                            violation{"waits.a", "is not a duration of weeks to seconds in ISO 8601, such as PT1H30M"},
                            violation{"exact", "is not a duration of weeks to seconds in ISO 8601, such as PT1H30M"},
                            violation{"weeks", "must be a whole multiple of P7D"},
                            violation{"references[0]", "must not be the nil UUID"}));
}

TEST(business_types, are_checked_where_they_are_raised) {
    auto wrong = invoice();
    wrong.customer = {};
    wrong.due = 2026y / 2 / 31;
    wrong.grace = std::chrono::hours::max();
    wrong.total.amount = sluice::decimal<2>{"-0.01"};
    EXPECT_THAT(codec::validate(wrong),
                ElementsAre(violation{"customer", "must not be the nil UUID"},
                            violation{"due", "must be a date of the calendar between the years 1 and 9999"},
                            violation{"grace", "must be less than 292,000 years"},
                            violation{"total.amount", "must not be negative"}));
    EXPECT_THAT(codec::validate(invoice()), IsEmpty());
}

TEST(business_types, keep_an_initialiser_that_makes_a_difference) {
    std::vector<std::string> missed;
    try {
        static_cast<void>(sluice::detail::read_event<invoicing::Grown>(json::object{}));
    } catch (const sluice::validation_error& e) {
        for (const auto& each : e.violations()) missed.push_back(each.field);
    }
    EXPECT_THAT(missed, ElementsAre("day", "amount", "wait", "reference"));
}

struct cents {
    sluice::decimal<2> amount;
};
struct mills {
    sluice::decimal<3> amount;
};
struct whole_seconds {
    std::chrono::seconds wait{};
};
struct whole_hours {
    std::chrono::hours wait{};
};

TEST(business_types, that_read_each_other_in_another_way_have_another_layout) {
    EXPECT_NE(layout_of(field_tree_of<cents>()), layout_of(field_tree_of<mills>()));
    EXPECT_NE(layout_of(field_tree_of<whole_seconds>()), layout_of(field_tree_of<whole_hours>()));
    EXPECT_EQ(layout_of(field_tree_of<Containers>()),
              "{day:?date;amounts:[]decimal2;waits:<>duration1000;exact:duration1;weeks:duration604800000000;"
              "references:[]uuid;}");
}

TEST(business_types, are_described_for_people) {
    std::vector<std::string> kinds;
    const auto& members = field_tree_of<IssueInvoice>().members;
    for (const auto& each : members) kinds.push_back(kind_text(*each.type));
    EXPECT_THAT(kinds, ElementsAre("identifier", "uuid", "date", "struct", "decimal", "duration"));
    EXPECT_EQ(members.at(4).type->digits, 3);
}

}  // namespace
