#include "domain/layout.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <map>

#include <sluice/sluice.hpp>

// Not in an anonymous namespace: the name of a struct that contains itself is part of its layout.
namespace laid {

enum class colour { red, green };

struct Leaf {
    sluice::identifier id;
    std::vector<Leaf> leaves;
};

class Tree : public sluice::event_sourced<Tree> {
public:
    Tree() = default;

private:
    sluice::identifier tree_id_;
    std::optional<sluice::string<60>> title_{};
    bool sold_ = false;
    std::int8_t floor_ = 0;
    std::uint64_t pieces_ = 0;
    float weight_ = 0;
    sluice::date_time at_;
    std::optional<sluice::date> day_{};
    sluice::decimal<2> price_;
    std::chrono::minutes took_{};
    sluice::uuid reference_;
    colour painted_ = colour::red;
    sluice::json::value any_;
    sluice::json::object extra_;
    std::optional<std::vector<std::optional<int>>> sizes_{};
    std::map<sluice::identifier, std::vector<Leaf>> leaves_;
    sluice::not_stored<int> seen_{};
    BOOST_DESCRIBE_CLASS(Tree, (), (), (),
                         (tree_id_, title_, sold_, floor_, pieces_, weight_, at_, day_, price_, took_, reference_,
                          painted_, any_, extra_, sizes_, leaves_, seen_))
};

struct Felled {
    static constexpr sluice::event_of<Tree> contract{};
    sluice::identifier tree_id;
};

struct OpenTrees {
    static constexpr sluice::projection_of contract{.version = 2};
    sluice::identifier tree_id;
    std::optional<sluice::string<60>> title{};
    bool sold = false;
    std::uint32_t pieces = 0;
    float weight = 0;
    sluice::date_time at;
    std::optional<sluice::date> day{};
    sluice::decimal<2> price;
    std::chrono::minutes took{};
    sluice::uuid reference;
    colour painted = colour::red;
    sluice::json::value any;
    std::vector<Leaf> leaves;
};

struct open_trees {
    void operator()(const Felled& /*event*/, sluice::read_model<OpenTrees>& /*rows*/) const {}
};

}  // namespace laid

namespace {

using sluice::detail::field_tree_of;
using sluice::detail::layout_of;

// These are stored in databases: another text would make every snapshot useless and every read model outdated.

TEST(layout, has_a_text_that_never_changes) {
    EXPECT_EQ(
        layout_of(field_tree_of<laid::Tree>()),
        "{tree_id:text;title:?text;sold:bool;floor:int;pieces:uint;weight:number;at:time;day:?date;price:decimal2;"
        "took:duration60000000;reference:uuid;painted:enum;any:json;extra:json;sizes:?[]?int;"
        "leaves:<>[]{id:text;leaves:[]laid::Leaf;};}");
}

TEST(layout, has_fingerprints_that_never_change) {
    sluice::domain domain{"laid"};
    domain.aggregate<laid::Tree>({.snapshot_version = 3});
    domain.projector<laid::open_trees, laid::OpenTrees, laid::Felled>();
    EXPECT_EQ(domain.declared().aggregate("laid::Tree").sourcing->layout, "52c62b621e05c2d308a11a35e769b107");
    EXPECT_EQ(domain.declared().projectors.at(0).table.fingerprint, "0dadb2c20d93ac71");
}

}  // namespace
