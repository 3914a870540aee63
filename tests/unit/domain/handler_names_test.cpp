#include <gmock/gmock.h>

#include <sluice/sluice.hpp>

#include "config/check.hpp"
#include "unit/domain/problems.hpp"

// What handlers are called, whatever becomes of their classes.
namespace naming {

using sluice::testing::problems_of;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class Parcel;

struct ParcelSent {
    static constexpr sluice::event_of<Parcel> contract{};
    sluice::identifier parcel_id;
};

class Parcel : public sluice::aggregate<Parcel> {
    sluice::identifier parcel_id_;
    BOOST_DESCRIBE_CLASS(Parcel, (), (), (), (parcel_id_))
};

struct SendParcel {
    static constexpr sluice::command_of<Parcel> contract{};
    sluice::identifier parcel_id;
};

struct ParcelCount {
    static constexpr sluice::projection_of contract{};
    sluice::identifier parcel_id;
};

struct tell_customer {
    void operator()(const ParcelSent&, sluice::context&) const {}
};
struct tell_driver {
    void operator()(const ParcelSent&, sluice::context&) const {}
};
struct counter {
    void operator()(const ParcelSent&, sluice::read_model<ParcelCount>&) const {}
};
struct other_parcels {
    void operator()(const sluice::message&, sluice::context&) const {}
};
struct parcel_commands {
    void operator()(const SendParcel&, sluice::context&) const {}
};
struct ReturnParcel {
    static constexpr sluice::command_of<Parcel> contract{};
    sluice::identifier parcel_id;
};
struct return_commands {
    void operator()(const ReturnParcel&, sluice::context&) const {}
};
class Delivery : public sluice::process_manager<Delivery> {
public:
    void on(const ParcelSent&, sluice::context&) {}

private:
    int step_ = 0;
    BOOST_DESCRIBE_CLASS(Delivery, (), (), (), (step_))
};

sluice::domain parcels() {
    sluice::domain domain{"naming"};
    domain.aggregate<Parcel>().events<ParcelSent>();
    return domain;
}

TEST(handler_names, are_those_of_the_classes_unless_given) {
    sluice::domain domain = parcels();
    domain.event_handler<tell_customer, ParcelSent>();
    domain.event_handler<tell_driver, ParcelSent>({.name = "driver-notices"});
    domain.projector<counter, ParcelCount, ParcelSent>({.name = "parcel-count"});
    domain.subscriber<other_parcels>({.name = "others", .stream = "post::parcel"});
    domain.process_manager<Delivery>({.subscription = {.name = "deliveries"}})
        .starts<ParcelSent>(&ParcelSent::parcel_id);
    EXPECT_EQ(problems_of(domain), "");
    const auto& declared = domain.declared();
    EXPECT_EQ(declared.event_handlers.at(0).name, "naming.tell_customer");
    EXPECT_EQ(declared.event_handlers.at(1).name, "driver-notices");
    EXPECT_EQ(declared.event_handlers.at(1).class_name, "naming.tell_driver");
    EXPECT_EQ(declared.projectors.at(0).name, "parcel-count");
    EXPECT_EQ(declared.subscribers.at(0).name, "others");
    EXPECT_EQ(declared.processes.at("naming::Delivery").group, "deliveries");
    EXPECT_EQ(declared.processes.at("naming::Delivery").fqn, "naming.Delivery") << "on the wire it stays what it is";
}

TEST(handler_names, are_given_to_one_handler_only) {
    sluice::domain domain = parcels();
    domain.event_handler<tell_customer, ParcelSent>({.name = "notices"});
    domain.event_handler<tell_driver, ParcelSent>();
    domain.subscriber<other_parcels>({.name = "naming.tell_driver", .stream = "post::parcel"});
    domain.projector<counter, ParcelCount, ParcelSent>({.name = "notices"});
    EXPECT_THAT(
        problems_of(domain),
        AllOf(HasSubstr("event handler `naming.tell_customer` and projector `naming.counter` would share the "
                        "consumer group `notices`"),
              HasSubstr("event handler `naming.tell_driver` and subscriber `naming.other_parcels` would share")));
}

TEST(handler_names, hold_nothing_that_a_broker_or_a_command_cannot) {
    for (const char* bad : {"two words", "a@b", "line\nbreak"}) {
        sluice::domain domain = parcels();
        domain.event_handler<tell_customer, ParcelSent>({.name = bad});
        EXPECT_THAT(problems_of(domain), HasSubstr("a name has at most 200 characters")) << bad;
    }
    sluice::domain domain = parcels();
    domain.event_handler<tell_customer, ParcelSent>({.name = std::string(201, 'x')});
    EXPECT_THAT(problems_of(domain), HasSubstr("a name has at most 200 characters"));
}

TEST(handler_names, say_nothing_different_for_the_commands_of_one_category) {
    sluice::domain domain = parcels();
    domain.command_handler<parcel_commands, SendParcel>({.name = "one"});
    domain.command_handler<return_commands, ReturnParcel>({.name = "another"});
    EXPECT_THAT(problems_of(domain), HasSubstr("have name = "));
}

TEST(starting_points, are_for_handlers_that_may_pass_something_over) {
    sluice::domain domain = parcels();
    domain.event_handler<tell_customer, ParcelSent>({.from = sluice::start::now});
    EXPECT_THAT(problems_of(domain), IsEmpty());
    domain.command_handler<parcel_commands, SendParcel>({.from = sluice::start::now});
    domain.projector<counter, ParcelCount, ParcelSent>({.subscription = {.from = sluice::start::now}});
    EXPECT_THAT(problems_of(domain), AllOf(HasSubstr("command handler `naming.parcel_commands` has the option .from"),
                                           HasSubstr("projector `naming.counter` has the option .from")));
}

class Noisy : public sluice::aggregate<Noisy> {
public:
    void shout();

private:
    sluice::identifier noisy_id_;
    BOOST_DESCRIBE_CLASS(Noisy, (), (), (), (noisy_id_))
};
struct Shouted {
    static constexpr sluice::event_of<Noisy> contract{};
    sluice::identifier noisy_id;
};
void Noisy::shout() { raise(Shouted{.noisy_id = noisy_id_}); }

/// What a check says about the events that this binary raises.
std::vector<std::string> undeclared(const sluice::domain& domain) {
    std::vector<std::string> events;
    for (const auto& each : sluice::config::check(domain.declared(), {})) {
        if (each.code == "UNDECLARED_EVENT") events.push_back(each.element);
    }
    return events;
}

TEST(raised_events, are_missed_before_the_first_is_raised) {
    sluice::domain domain{"naming"};
    domain.aggregate<Noisy>();
    EXPECT_THAT(undeclared(domain), ElementsAre("naming::Shouted"));
    sluice::domain whole{"naming"};
    whole.aggregate<Noisy>().events<Shouted>();
    EXPECT_THAT(undeclared(whole), IsEmpty());
    EXPECT_THAT(undeclared(parcels()), IsEmpty()) << "of an aggregate that the domain does not have";
}

}  // namespace naming
