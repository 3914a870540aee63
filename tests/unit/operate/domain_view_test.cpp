#include "operate/domain_view.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "support/depot_domain.hpp"

// Not in an anonymous namespace: the commands are named after their structs.
namespace grove {

class Tree : public sluice::aggregate<Tree> {
    sluice::identifier tree_id_;
    BOOST_DESCRIBE_CLASS(Tree, (), (), (), (tree_id_))
};
enum class season { spring, autumn };
struct Branch {
    sluice::string<20> name;
    std::vector<Branch> branches;
};
struct Prune {
    static constexpr sluice::command_of<Tree> contract{};
    std::optional<sluice::decimal<2>> cost{};
    season in = season::spring;
    std::vector<Branch> branches;
};
struct gardener {
    void operator()(const Prune& /*command*/, sluice::context& /*in*/) const {}
};

}  // namespace grove

namespace sluice::operate {
namespace {

domain_view depot_view() {
    const sluice::domain depot = depot::make_domain();
    consume::route watch;
    watch.name = "depot.watch";
    watch.broker = "default";
    watch.streams = {"depot::crate"};
    return view_domain(depot.declared(), {watch});
}

TEST(domain_view, has_what_the_domain_declares) {
    const domain_view view = depot_view();
    EXPECT_EQ(view.name, "depot");
    ASSERT_EQ(view.aggregates.size(), 2U);
    EXPECT_EQ(view.aggregates[0].name, "Crate");
    EXPECT_EQ(view.aggregates[0].stream, "depot::crate");
    EXPECT_EQ(view.aggregates[0].kept_as, "state");
    EXPECT_EQ(view.commands.size(), 2U);
    EXPECT_EQ(view.events.size(), 5U);
    ASSERT_EQ(view.read_models.size(), 2U);
    const auto summary = std::ranges::find(view.read_models, "crate_summary", &declared_read_model::name);
    ASSERT_NE(summary, view.read_models.end());
    EXPECT_EQ(summary->key, "crate_id");
    EXPECT_EQ(summary->columns.size(), 6U);
}

TEST(domain_view_to_json, shows_members_of_members_and_a_struct_that_contains_itself_once) {
    sluice::domain domain{"grove"};
    domain.aggregate<grove::Tree>().events<>();
    domain.command_handler<grove::gardener, grove::Prune>();
    const json::value shown = to_json(view_domain(domain.declared(), {}));
    EXPECT_EQ(json::dump(shown.at("aggregates").at(0).at("commands").at(0).at("fields")),
              R"([{"name":"cost","kind":"decimal","required":false,"digits":2},)"
              R"({"name":"in","kind":"enum","required":true,"one_of":["spring","autumn"]},)"
              R"({"name":"branches","kind":"list of struct","required":true,"fields":[)"
              R"({"name":"name","kind":"text","required":true,"max_length":20},)"
              R"({"name":"branches","kind":"list of struct","required":true}]}])");
}

TEST(domain_view_to_json, commands_and_events_stand_below_their_aggregate) {
    const json::value shown = to_json(depot_view());
    const json::value& crate = shown.at("aggregates").at(0);
    EXPECT_EQ(crate.at("class").as_string(), "depot::Crate");
    EXPECT_EQ(crate.at("commands").as_array().size(), 2U);
    EXPECT_EQ(crate.at("events").as_array().size(), 4U);
    EXPECT_EQ(shown.at("aggregates").at(1).at("commands").as_array().size(), 0U);
    EXPECT_EQ(json::dump(crate.at("commands").at(0)),
              R"({"name":"AddItem","type":"Depot.AddItem.v1","handler":"depot.crate_commands",)"
              R"("fields":[{"name":"crate_id","kind":"identifier","required":true,"max_length":255},)"
              R"({"name":"pieces","kind":"integer","required":true}]})");
    EXPECT_EQ(json::dump(shown.at("handlers")),
              R"([{"name":"depot.watch","group":"","broker":"default","streams":["depot::crate"]}])");
}

}  // namespace
}  // namespace sluice::operate
