#include "commit/stored_log.hpp"

#include <gmock/gmock.h>

#include <sluice/sluice.hpp>

#include "store/memory/memory_database.hpp"

// What the log holds, held against what a build declares.
namespace history {

using sluice::commit::log_problem;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class Place;
class Ledger;

struct PlaceAdded {
    static constexpr sluice::event_of<Place> contract{.version = 2};
    sluice::identifier place_id;
    sluice::string<5> city;
    std::string note = "none";
};
struct EntryMade {
    static constexpr sluice::event_of<Ledger> contract{};
    sluice::identifier ledger_id;
};
class Place : public sluice::aggregate<Place> {
    sluice::identifier place_id_;
    BOOST_DESCRIBE_CLASS(Place, (), (), (), (place_id_))
};
class Ledger : public sluice::event_sourced<Ledger> {
public:
    void apply(const EntryMade& e) { ledger_id_ = e.ledger_id; }

private:
    sluice::identifier ledger_id_;
    BOOST_DESCRIBE_CLASS(Ledger, (), (), (), (ledger_id_))
};

class stored_log : public ::testing::Test {
protected:
    stored_log() {
        domain_.aggregate<Place>().events<PlaceAdded>();
        domain_.aggregate<Ledger>().events<EntryMade>();
        domain_.validate();
        database_->setup();
    }
    void write(const std::string& type, const std::string& data, const std::string& category = "history::place",
               int count = 1) {
        const auto unit = database_->open_unit();
        for (int i = 0; i < count; ++i) {
            const std::string id = "m-" + std::to_string(++written_);
            unit->commit({.events = {{.event = {.message_id = id,
                                                .stream = category + "-" + id,
                                                .stream_category = category,
                                                .type = type,
                                                .data = data,
                                                .metadata = "{}",
                                                .created_at = {}},
                                      .priority = 0,
                                      .target_brokers = {}}},
                          .at = {}});
        }
    }
    [[nodiscard]] std::vector<log_problem> problems() {
        return sluice::commit::problems_of_log(domain_.declared(), *database_->open_operations());
    }

    static constexpr auto good = R"({"place_id":"p","city":"Rom"})";
    sluice::domain domain_{"history"};
    std::unique_ptr<sluice::store::database> database_ = sluice::store::make_memory_database("history");
    int written_ = 0;
};

TEST_F(stored_log, that_can_be_read_is_no_problem) {
    EXPECT_THAT(problems(), IsEmpty()) << "an empty one";
    write("History.PlaceAdded.v2", good, "history::place", 300);
    write("Elsewhere.PlaceAdded.v9", "{}");
    EXPECT_THAT(problems(), IsEmpty()) << "a new member with an initialiser, and events of other domains";
}

TEST_F(stored_log, that_lacks_a_member_names_type_member_and_number) {
    write("History.PlaceAdded.v2", good);
    write("History.PlaceAdded.v2", R"({"place_id":"p"})");
    write("History.PlaceAdded.v2", R"({"place_id":"p"})");
    EXPECT_THAT(problems(),
                ElementsAre(AllOf(
                    Field(&log_problem::is_error, true),
                    Field(&log_problem::message, HasSubstr("History.PlaceAdded.v2 cannot be read: `city` is required "
                                                           "(2 of 3 events of this type that were looked at, the "
                                                           "first with number 2)")),
                    Field(&log_problem::remedy, HasSubstr("upcaster")))));
}

TEST_F(stored_log, that_breaks_a_rule_of_today_is_an_error_too) {
    write("History.PlaceAdded.v2", R"({"place_id":"p","city":"Konstantinopel"})");
    EXPECT_THAT(problems(), ElementsAre(Field(&log_problem::message, HasSubstr("`city` has 14 characters"))));
}

TEST_F(stored_log, in_a_version_that_nothing_reads_is_an_error) {
    write("History.PlaceAdded.v1", good);
    write("History.PlaceAdded.v3", good);
    EXPECT_THAT(
        problems(),
        ElementsAre(AllOf(Field(&log_problem::message, HasSubstr("History.PlaceAdded.v1, and nothing leads")),
                          Field(&log_problem::is_error, true)),
                    AllOf(Field(&log_problem::message, HasSubstr("History.PlaceAdded.v3, and nothing leads")),
                          Field(&log_problem::is_error, false), Field(&log_problem::remedy, HasSubstr("newer build")))))
        << "a version of tomorrow waits for the build that reads it";
    domain_.upcaster<PlaceAdded, sluice::from<1>, sluice::to<2>>([](sluice::json::object data) { return data; });
    EXPECT_THAT(problems(), ElementsAre(Field(&log_problem::message, HasSubstr("History.PlaceAdded.v3, and nothing"))));
}

TEST_F(stored_log, of_an_event_that_was_removed_is_an_error_only_where_it_is_state) {
    write("History.PlaceLeft.v1", "{}");
    write("History.EntryStruck.v1", "{}", "history::ledger");
    EXPECT_THAT(
        problems(),
        ElementsAre(AllOf(Field(&log_problem::type, "History.EntryStruck.v1"), Field(&log_problem::is_error, true),
                          Field(&log_problem::message, HasSubstr("part of the state"))),
                    AllOf(Field(&log_problem::type, "History.PlaceLeft.v1"), Field(&log_problem::is_error, false))));
}

TEST_F(stored_log, is_looked_at_from_both_ends_whatever_its_length) {
    write("History.PlaceAdded.v2", R"({"place_id":"p"})");
    write("History.PlaceAdded.v2", good, "history::place", 2000);
    write("History.PlaceLeft.v1", "{}");
    EXPECT_THAT(problems(), ElementsAre(Field(&log_problem::message, HasSubstr("the first with number 1")),
                                        Field(&log_problem::type, "History.PlaceLeft.v1")));
}

}  // namespace history
