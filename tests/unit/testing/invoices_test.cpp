// Dates, decimals, durations and UUIDs all the way: from a command through the state of an aggregate and its events
// into a read model, and out of it by value.
#include <gmock/gmock.h>

#include <sluice/sluice.hpp>
#include <sluice/test.hpp>

namespace invoices {

using namespace std::chrono_literals;
using money = sluice::decimal<2>;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class Invoice;

struct IssueInvoice {
    static constexpr sluice::command_of<Invoice> contract{};
    sluice::identifier invoice_id;
    sluice::uuid customer;
    sluice::date issued;
    money net;
    sluice::decimal<3> vat_rate;
    std::chrono::days grace{30};
};
struct PayInvoice {
    static constexpr sluice::command_of<Invoice> contract{};
    sluice::identifier invoice_id;
    money amount;
};

struct InvoiceIssued {
    static constexpr sluice::event_of<Invoice> contract{.published = true};
    sluice::identifier invoice_id;
    sluice::uuid customer;
    sluice::date due;
    money total;
    std::chrono::days grace{};
};
struct InvoicePaid {
    static constexpr sluice::event_of<Invoice> contract{};
    sluice::identifier invoice_id;
    money open;
};

class Invoice : public sluice::aggregate<Invoice> {
public:
    Invoice() = default;
    explicit Invoice(const IssueInvoice& command)
        : invoice_id_{command.invoice_id},
          customer_{command.customer},
          due_{command.issued + command.grace},
          open_{command.net + command.net.times(command.vat_rate, sluice::rounding::half_up)} {
        raise(InvoiceIssued{
            .invoice_id = invoice_id_, .customer = customer_, .due = due_, .total = open_, .grace = command.grace});
    }
    void pay(money amount) {
        open_ -= amount;
        raise(InvoicePaid{.invoice_id = invoice_id_, .open = open_});
    }
    void check(sluice::violations& broken) const {
        if (open_.is_negative()) broken.add("open", "must not be negative");
    }

private:
    sluice::identifier invoice_id_;
    sluice::uuid customer_;
    sluice::date due_;
    money open_;
    BOOST_DESCRIBE_CLASS(Invoice, (), (), (), (invoice_id_, customer_, due_, open_))
};

struct OpenInvoice {
    static constexpr sluice::projection_of contract{};
    sluice::identifier invoice_id;
    sluice::uuid customer;
    sluice::date due;
    money open;
    std::chrono::days grace{};
};

struct open_invoices {
    void operator()(const InvoiceIssued& e, sluice::read_model<OpenInvoice>& rows) const {
        rows.put({.invoice_id = e.invoice_id, .customer = e.customer, .due = e.due, .open = e.total, .grace = e.grace});
    }
    void operator()(const InvoicePaid& e, sluice::read_model<OpenInvoice>& rows) const {
        rows.update(e.invoice_id.view(), [&](OpenInvoice& row) { row.open = e.open; });
    }
};

struct invoice_commands {
    void operator()(const IssueInvoice& command, sluice::context& context) const {
        context.repository<Invoice>().add(Invoice{command});
    }
    void operator()(const PayInvoice& command, sluice::context& context) const {
        context.repository<Invoice>().get(command.invoice_id.str()).pay(command.amount);
    }
};

sluice::domain make_domain() {
    sluice::domain domain{"invoices"};
    domain.aggregate<Invoice>().events<InvoiceIssued, InvoicePaid>();
    domain.command_handler<invoice_commands, IssueInvoice, PayInvoice>();
    domain.projector<open_invoices, OpenInvoice, InvoiceIssued, InvoicePaid>({.indexes = {{"due", "open"}}});
    return domain;
}

class invoices_test : public ::testing::Test {
protected:
    invoices_test() {
        issue("i-1", ada_, 2026y / 11 / 23, "8.40", 30);
        issue("i-2", bob_, 2026y / 1 / 31, "100.00", 28);
        issue("i-3", ada_, 2026y / 11 / 24, "1000.00", 14);
        office_.drain();
    }

    void issue(const char* id, const sluice::uuid& customer, sluice::date on, const char* net, int grace) {
        office_.process(IssueInvoice{.invoice_id = id,
                                     .customer = customer,
                                     .issued = on,
                                     .net = money::parse(net),
                                     .vat_rate = sluice::decimal<3>{"0.190"},
                                     .grace = std::chrono::days{grace}});
    }
    [[nodiscard]] sluice::view<OpenInvoice> view() { return office_.context().view<OpenInvoice>(); }
    [[nodiscard]] static std::vector<std::string> ids(const sluice::selection<OpenInvoice>& found) {
        std::vector<std::string> all;
        for (const auto& row : found.rows()) all.push_back(row.invoice_id.str());
        return all;
    }

    sluice::uuid ada_ = sluice::uuid::parse("0f8fad5b-d9cb-469f-a165-70867728950e");
    sluice::uuid bob_ = sluice::uuid::parse("f08fad5b-d9cb-469f-a165-70867728950e");
    sluice::test::runtime office_{make_domain()};
};

TEST_F(invoices_test, reach_partners_as_exact_text) {
    const auto first = office_.events().at(0);
    EXPECT_EQ(sluice::json::dump(first.data()),
              R"({"invoice_id":"i-1","customer":"0f8fad5b-d9cb-469f-a165-70867728950e","due":"2026-12-23",)"
              R"("total":"10.00","grace":"P30D"})");
}

TEST_F(invoices_test, are_ordered_and_found_by_value) {
    EXPECT_THAT(ids(view().order_by(&OpenInvoice::open)), ElementsAre("i-1", "i-2", "i-3")) << "10, 119, 1190";
    EXPECT_THAT(ids(view().order_by(&OpenInvoice::due)), ElementsAre("i-2", "i-3", "i-1"));
    EXPECT_THAT(ids(view().order_by(&OpenInvoice::grace, sluice::direction::descending)),
                ElementsAre("i-1", "i-2", "i-3"));
    EXPECT_THAT(ids(view().where(&OpenInvoice::open, sluice::less(money{119}))), ElementsAre("i-1"));
    EXPECT_THAT(ids(view().where(&OpenInvoice::open, sluice::equals(sluice::decimal<1>{"119.0"}))), ElementsAre("i-2"));
    EXPECT_THAT(ids(view().where(&OpenInvoice::due, sluice::greater(sluice::date{2026y / 12 / 8}))),
                ElementsAre("i-1"));
    EXPECT_THAT(ids(view().where(&OpenInvoice::grace, sluice::equals(std::chrono::weeks{2}))), ElementsAre("i-3"));
    EXPECT_THAT(ids(view().where(&OpenInvoice::customer, sluice::equals(ada_))), ElementsAre("i-1", "i-3"));
    EXPECT_THAT(ids(view().where(&OpenInvoice::customer, sluice::greater(ada_))), ElementsAre("i-2"));
}

TEST_F(invoices_test, are_compared_with_what_their_column_can_hold_only) {
    const auto refusal = [&](const auto& column, const sluice::comparison& condition) {
        try {
            return std::to_string(view().where(column, condition).count());
        } catch (const sluice::usage_error& e) {
            return std::string{e.what()};
        }
    };
    EXPECT_THAT(refusal(&OpenInvoice::open, sluice::equals(sluice::decimal<3>{"9.995"})),
                HasSubstr("holds a decimal number with 2 digits after the point; compare it with one"));
    EXPECT_THAT(refusal(&OpenInvoice::open, sluice::equals(10)), HasSubstr("not with number 10"));
    EXPECT_THAT(refusal(&OpenInvoice::due, sluice::equals("2026-02-30")), HasSubstr("holds a date; compare"));
    EXPECT_THAT(refusal(&OpenInvoice::grace, sluice::equals("soon")), HasSubstr("holds a duration; compare"));
}

TEST_F(invoices_test, keep_their_state_to_the_last_digit) {
    office_.process(PayInvoice{.invoice_id = "i-3", .amount = money{"1189.99"}});
    office_.drain();
    EXPECT_EQ(view().get("i-3").open, money{"0.01"});
    EXPECT_EQ(view().get("i-3").due, sluice::date(2026y / 12 / 8));
    EXPECT_THROW(office_.process(PayInvoice{.invoice_id = "i-3", .amount = money{"0.02"}}), sluice::validation_error);
    EXPECT_THROW(office_.process(PayInvoice{.invoice_id = "i-3", .amount = money::parse("-92233720368547758.08")}),
                 sluice::validation_error);
}

}  // namespace invoices
