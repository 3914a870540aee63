#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include <sluice/sluice.hpp>

#include "broker/inline/inline_broker.hpp"
#include "command/invocation.hpp"
#include "engine/engine.hpp"
#include "projection/read_model_setup.hpp"
#include "store/memory/memory_database.hpp"
#include "support/eventually.hpp"

// One service in two builds, over one database and one broker. The code of docs/changing-a-service.md is taken from
// here.
namespace post_office {

/// What the handlers were told, by their own threads.
struct diary {
    std::mutex mutex;
    std::vector<std::string> lines;

    void write(const std::string& line) {
        const std::lock_guard lock{mutex};
        lines.push_back(line);
    }
    [[nodiscard]] std::vector<std::string> read() {
        const std::lock_guard lock{mutex};
        return lines;
    }
};

}  // namespace post_office

namespace before {

using post_office::diary;

// [before]
class Parcel;

struct ParcelSent {
    static constexpr sluice::event_of<Parcel> contract{};
    sluice::identifier parcel_id;
    int grams;
};

struct ParcelScanned {
    static constexpr sluice::event_of<Parcel> contract{};
    sluice::identifier parcel_id;
};

struct ParcelTotals {
    static constexpr sluice::projection_of contract{.name = "parcel_totals"};
    sluice::identifier name;
    std::int64_t grams = 0;
};
// [/before]

class Parcel : public sluice::aggregate<Parcel> {
public:
    Parcel() = default;
    Parcel(const sluice::identifier& id, int grams) : parcel_id_{id}, grams_{grams} {
        raise(ParcelSent{.parcel_id = id, .grams = grams});
        raise(ParcelScanned{.parcel_id = id});
    }

private:
    sluice::identifier parcel_id_;
    int grams_ = 0;
    BOOST_DESCRIBE_CLASS(Parcel, (), (), (), (parcel_id_, grams_))
};

struct notify_customer {
    std::shared_ptr<diary> told;
    void operator()(const ParcelSent& e, sluice::context&) const { told->write("notified " + e.parcel_id.str()); }
};

struct parcel_projector {
    void operator()(const ParcelSent& e, sluice::read_model<ParcelTotals>& totals) const {
        totals.upsert("all", [&](ParcelTotals& all) { all.grams += e.grams; });
    }
};

sluice::domain make_domain(const std::shared_ptr<diary>& told) {
    sluice::domain post{"post"};
    post.aggregate<Parcel>().events<ParcelSent, ParcelScanned>();
    post.event_handler<notify_customer, ParcelSent>(notify_customer{told});
    post.projector<parcel_projector, ParcelTotals, ParcelSent>();
    return post;
}

}  // namespace before

namespace after {

using post_office::diary;

class Shipment;

struct ParcelScanned {
    static constexpr sluice::event_of<Shipment> contract{};
    sluice::identifier parcel_id;
};

// [events]
struct ShipmentSent {
    // The struct was called ParcelSent; on the wire and in the log it still is.
    static constexpr sluice::event_of<Shipment> contract{.name = "ParcelSent"};
    static constexpr auto aliases = sluice::aliases({{"grams", "weight"}});  // `grams` was renamed

    sluice::identifier parcel_id;
    int weight;
    std::string carrier = "post";  // new: events without it are read with its initialiser
    std::optional<sluice::text> note{};
};
// [/events]

struct ParcelTotals {
    static constexpr sluice::projection_of contract{.name = "parcel_totals"};
    sluice::identifier name;
    std::int64_t grams = 0;
};

// [aggregate]
class Shipment : public sluice::aggregate<Shipment> {
public:
    static constexpr auto aliases = sluice::aliases({{"grams", "weight"}});

    Shipment() = default;
    Shipment(const sluice::identifier& id, int weight) : parcel_id_{id}, weight_{weight} {
        raise(ShipmentSent{.parcel_id = id, .weight = weight, .carrier = carrier_});
    }
    [[nodiscard]] std::string label() const {
        return parcel_id_.str() + " " + std::to_string(weight_) + " " + carrier_;
    }

private:
    sluice::identifier parcel_id_;
    int weight_ = 0;
    std::string carrier_ = "post";                   // new: state without it keeps the initialiser
    sluice::not_stored<std::string> label_cache_{};  // of this process only
    BOOST_DESCRIBE_CLASS(Shipment, (), (), (), (parcel_id_, weight_, carrier_, label_cache_))
};
// [/aggregate]

struct tell_customer {
    std::shared_ptr<diary> told;
    void operator()(const ShipmentSent& e, sluice::context&) const { told->write("notified " + e.parcel_id.str()); }
};
struct plan_tour {
    std::shared_ptr<diary> told;
    void operator()(const ShipmentSent& e, sluice::context&) const { told->write("planned " + e.parcel_id.str()); }
};
struct bill_customer {
    std::shared_ptr<diary> told;
    void operator()(const ShipmentSent& e, sluice::context&) const {
        told->write("billed " + e.parcel_id.str() + " by " + e.carrier);
    }
};
struct weight_projector {
    void operator()(const ShipmentSent& e, sluice::read_model<ParcelTotals>& totals) const {
        totals.upsert("all", [&](ParcelTotals& all) { all.grams += e.weight; });
    }
};

sluice::domain make_domain(const std::shared_ptr<diary>& told) {
    // [declaration]
    sluice::domain post{"post"};
    // The class was called Parcel; name and stream stay. ParcelScanned is not raised any more, but may still be on its
    // way.
    post.aggregate<Shipment>({.name = "Parcel"}).events<ShipmentSent, ParcelScanned>();
    // The class was called notify_customer; its group, its place and its marks stay.
    post.event_handler<tell_customer, ShipmentSent>({.name = "before.notify_customer"}, tell_customer{told});
    // A part of it became a handler of its own: it is about what happens from now on.
    post.event_handler<plan_tour, ShipmentSent>({.from = sluice::start::now}, plan_tour{told});
    // A new handler that wants all that the broker still keeps.
    post.event_handler<bill_customer, ShipmentSent>({.from = sluice::start::beginning}, bill_customer{told});
    // A renamed projector needs nothing: the read model knows who feeds it.
    post.projector<weight_projector, ParcelTotals, ShipmentSent>();
    // [/declaration]
    return post;
}

}  // namespace after

/// An edit without care: `grams` was renamed, and nothing says so.
namespace careless {

class Parcel;

struct ParcelSent {
    static constexpr sluice::event_of<Parcel> contract{};
    sluice::identifier parcel_id;
    int weight;
};

}  // namespace careless

namespace sluice {
namespace {

using namespace std::chrono_literals;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::UnorderedElementsAre;

class changing_a_service : public ::testing::Test {
protected:
    struct build {
        domain declared;
        std::unique_ptr<commit::environment> env;
    };
    /// A build that is at work.
    struct service {
        explicit service(build made) : of{std::move(made)} {
            projection::require_read_models(*of.env);
            engine.start();
        }

        build of;
        engine::engine engine{*of.env};
    };

    changing_a_service() { database_->setup(); }

    [[nodiscard]] build make(domain declared) const {
        build made{.declared = std::move(declared), .env = nullptr};
        made.declared.validate();
        commit::adapters parts;
        parts.databases.emplace("default", database_);
        parts.brokers.emplace("default", broker_);
        made.env = std::make_unique<commit::environment>(made.declared.declared(), config::configuration{}, parts,
                                                         system_clock(), base::system_random());
        return made;
    }
    template <class Object>
    static void add(const build& in, Object object) {
        context at = command::make_context(*in.env);
        unit_of_work work{at};
        at.repository<Object>().add(std::move(object));
        work.commit();
    }
    /// Until every group of the build has read all, and what it read is acknowledged.
    /// @param messages  in each stream at least: a lane may still be on its way with the next one
    [[nodiscard]] bool all_is_read(std::size_t groups, std::int64_t messages = 1) const {
        return testing::eventually([&] {
            const auto found = broker_->open_operations()->groups();
            return found.size() >= groups && std::all_of(found.begin(), found.end(), [&](const auto& each) {
                       return each.length >= messages && each.lag == 0 && each.pending == 0;
                   });
        });
    }
    template <class Totals>
    [[nodiscard]] static std::int64_t grams(const build& in) {
        return command::make_context(*in.env).view<Totals>().get("all").grams;
    }

    std::shared_ptr<post_office::diary> told_ = std::make_shared<post_office::diary>();
    std::shared_ptr<store::database> database_{store::make_memory_database("post")};
    std::shared_ptr<broker::broker> broker_ = broker::make_inline_broker("default");
};

TEST_F(changing_a_service, loses_and_doubles_nothing) {
    {
        service old{make(before::make_domain(told_))};
        add(old.of, before::Parcel{"p-1", 100});
        add(old.of, before::Parcel{"p-2", 50});
        ASSERT_TRUE(all_is_read(2, 2));
        EXPECT_EQ(grams<before::ParcelTotals>(old.of), 150);
        ASSERT_TRUE(old.engine.stop());
    }
    EXPECT_THAT(told_->read(), UnorderedElementsAre("notified p-1", "notified p-2"));
    told_->lines.clear();

    service next{make(after::make_domain(told_))};
    ASSERT_TRUE(testing::eventually([&] { return broker_->open_operations()->groups().size() >= 4; }))
        << "a group that starts now is made when its handler first runs";
    add(next.of, after::Shipment{"p-3", 7});
    EXPECT_TRUE(testing::eventually(
        [&] { return told_->read().size() >= 5 && grams<after::ParcelTotals>(next.of) >= 157 && all_is_read(4); }));
    EXPECT_TRUE(next.engine.stop());
    EXPECT_THAT(told_->read(), UnorderedElementsAre("notified p-3", "planned p-3", "billed p-1 by post",
                                                    "billed p-2 by post", "billed p-3 by post"));
    EXPECT_EQ(grams<after::ParcelTotals>(next.of), 157) << "each parcel once";
    context in = command::make_context(*next.of.env);
    unit_of_work reading{in};
    EXPECT_EQ(in.repository<after::Shipment>().get("p-1").label(), "p-1 100 post");
}

TEST_F(changing_a_service, is_refused_when_history_could_not_be_read) {
    add(make(before::make_domain(told_)), before::Parcel{"p-1", 100});
    domain declared{"post"};
    declared.stream<careless::Parcel>().events<careless::ParcelSent>();
    try {
        service next{make(std::move(declared))};
        FAIL() << "it started";
    } catch (const store_error& e) {
        EXPECT_THAT(e.what(), AllOf(HasSubstr("stored events of type Post.ParcelSent.v1 cannot be read: `weight` is "
                                              "required (1 of 1 events"),
                                    HasSubstr("upcaster")));
    }
}

}  // namespace
}  // namespace sluice
