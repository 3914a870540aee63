#include <future>

#include <sluice/json.hpp>

#include "contract/store_contract.hpp"

namespace sluice::store::contract {
namespace {

using sluice::detail::column_kind;
using sluice::detail::comparison_kind;
using sluice::detail::row_query;
using sluice::detail::table_layout;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr auto ada =
    R"({"order":"o-1","customer":"Ada \"A\" Grüße","lines":3,"weight":0.1,"urgent":true,)"
    R"("at":"2026-11-23T08:00:00.500000+00:00","due":"2026-11-23","price":"9.50","took":"PT1H30M","extra":{"a":[1,2.0,"x"],"b":null}})";
constexpr auto nobody = R"({"order":"o-2","customer":null,"lines":-7,"weight":2.0,"urgent":false,"at":null,"due":null,)"
                        R"("price":"-12.00","took":"-PT0.000001S","extra":[]})";
constexpr auto bob =
    R"({"order":"o-3","customer":"Bob","lines":10,"weight":1e+22,"urgent":true,)"
    R"("at":"2026-11-23T08:00:01+00:00","due":"2027-01-02","price":"10.00","took":"P10D","extra":"text"})";

/// A table whose names are reserved words and of mixed case, with a column of each kind.
class store_read_models : public store_contract {
protected:
    store_read_models() { read_models_ = store_->open_read_models(); }

    static table_layout make_layout() {
        return {.name = "select",
                .columns = {{"order", column_kind::text, false},
                            {"customer", column_kind::text, true},
                            {"lines", column_kind::integer, false},
                            {"weight", column_kind::real, false},
                            {"urgent", column_kind::boolean, false},
                            {"at", column_kind::time, true},
                            {"due", column_kind::date, true},
                            {"price", column_kind::decimal, false, 2},
                            {"took", column_kind::duration, false},
                            {"extra", column_kind::json, false}},
                .key = "order",
                .indexes = {{"customer"}, {"urgent", "at"}, {"due", "price", "took"}},
                .version = 1,
                .fingerprint = "first"};
    }

    static std::string with_key(const std::string& row, const std::string& key) {
        json::value changed = json::parse(row);
        changed.as_object().set("order", key);
        return json::dump(changed);
    }
    [[nodiscard]] row_table table(std::int64_t generation = 1) const { return {&layout_, generation}; }
    [[nodiscard]] row_write put(const std::string& key, const std::string& row,
                                std::optional<std::int64_t> expected = {}, std::int64_t version = 11) const {
        return {.table = table(),
                .key = key,
                .row = row.empty() ? row : with_key(row, key),
                .version = version,
                .expected = expected};
    }
    void write(std::vector<row_write> rows, std::int64_t generation = 1, std::vector<inbox_mark> marks = {}) {
        unit_->commit({.marks = std::move(marks),
                       .rows = std::move(rows),
                       .projection = projection_guard{.name = layout_.name, .generation = generation},
                       .at = at(0)});
    }
    void create_with_rows() {
        EXPECT_TRUE(read_models_->create(layout_));
        write({put("o-1", ada), put("o-2", nobody), put("o-3", bob)});
    }
    [[nodiscard]] projection_status status() { return read_models_->list().at(0); }
    [[nodiscard]] std::string row(const std::string& key, std::int64_t generation = 0) {
        const auto found = unit_->load_row(table(generation), key);
        return found ? found->row : "none";
    }
    [[nodiscard]] std::vector<std::string> keys(const row_query& query) {
        std::vector<std::string> all;
        for (const auto& each : unit_->find_rows(table(0), query)) {
            all.push_back(json::parse(each).at("order").as_string());
        }
        return all;
    }
    [[nodiscard]] std::vector<std::string> keys(const std::string& column, comparison_kind how,
                                                json::value value = {}) {
        const row_query query{.where = {{column, how, std::move(value)}}};
        const auto found = keys(query);
        EXPECT_EQ(unit_->count_rows(table(0), query), static_cast<std::int64_t>(found.size()));
        return found;
    }
    [[nodiscard]] rebuild_step step(const rebuild_status& of, sequence from, sequence upto,
                                    std::vector<row_write> rows = {}) const {
        for (auto& each : rows) each.table.generation = of.generation;
        return {.generation = of.generation, .from = from, .upto = upto, .rows = std::move(rows), .at = at(1)};
    }

    table_layout layout_ = make_layout();
    std::unique_ptr<read_model_session> read_models_;
};
SLUICE_FOR_EVERY_STORE(store_read_models);

TEST_P(store_read_models, belong_to_the_group_that_was_registered_first) {
    read_models_->create(layout_);
    EXPECT_EQ(status().reader, "");
    read_models_->register_reader(layout_.name, "shop.first");
    read_models_->register_reader(layout_.name, "shop.second");
    read_models_->register_reader("unknown", "shop.third");
    EXPECT_EQ(status().reader, "shop.first");
    static_cast<void>(operations_->rename_handler("shop.first", "shop.renamed"));
    EXPECT_EQ(status().reader, "shop.renamed");
}

TEST_P(store_read_models, are_made_once_and_registered) {
    EXPECT_THAT(read_models_->list(), IsEmpty());
    EXPECT_TRUE(read_models_->create(layout_));
    EXPECT_FALSE(read_models_->create(layout_));
    EXPECT_FALSE(store_->open_read_models()->create(layout_));
    const auto found = status();
    EXPECT_EQ(found.name, "select");
    EXPECT_EQ(found.generation, 1);
    EXPECT_EQ(found.layout, "first");
    EXPECT_TRUE(found.built) << "there are no older events";
    EXPECT_EQ(found.floor, 0);
    EXPECT_FALSE(found.rebuild);
    EXPECT_EQ(read_models_->count_rows(table()), 0);
}

TEST_P(store_read_models, made_after_the_first_event_are_not_built) {
    commit_events(1);
    EXPECT_TRUE(read_models_->create(layout_));
    EXPECT_FALSE(status().built);
    const auto gate = unit_->look_at_projection("select", {"m-1", "projector"});
    ASSERT_TRUE(gate);
    EXPECT_FALSE(gate->built);
    EXPECT_FALSE(unit_->look_at_projection("nothing", {"m-1", "projector"}));
}

TEST_P(store_read_models, keep_an_index_that_is_declared_later) {
    EXPECT_TRUE(read_models_->create(layout_));
    layout_.indexes.push_back({"lines"});
    EXPECT_FALSE(read_models_->create(layout_));
    EXPECT_FALSE(read_models_->create(layout_));
}

TEST_P(store_read_models, give_back_every_value_as_it_was) {
    create_with_rows();
    EXPECT_EQ(row("o-1"), ada);
    EXPECT_EQ(row("o-2"), nobody);
    EXPECT_EQ(row("o-3"), bob);
    EXPECT_EQ(row("o-9"), "none");
    EXPECT_EQ(unit_->load_row(table(), "o-1")->version, 11);
}

TEST_P(store_read_models, keep_numbers_to_the_last_bit_and_texts_whatever_they_hold) {
    EXPECT_TRUE(read_models_->create(layout_));
    const std::vector<std::string> rows{
        R"({"order":"a","customer":"","lines":9223372036854775807,"weight":0.30000000000000004,"urgent":false,)"
        R"("at":"0001-01-01T00:00:00+00:00","due":"0001-01-01","price":"92233720368547758.07",)"
        R"("took":"P106751991DT4H54.775807S","extra":null})",
        R"({"order":"b","customer":"'; DROP TABLE x; --\\ \n\u0001 @ $1 ?1","lines":-9223372036854775808,)"
        R"("weight":1.7976931348623157e+308,"urgent":false,"at":"9999-12-31T23:59:59.999999+00:00",)"
        R"("due":"9999-12-31","price":"-92233720368547758.08","took":"-P106751991DT4H54.775808S","extra":"'\""})",
        R"({"order":"c","customer":"\ud83d\ude00","lines":0,"weight":5e-324,"urgent":false,"at":null,)"
        R"("due":null,"price":"0.01","took":"PT0S","extra":{"n":123456789012345678901234567890,"d":2.50}})"};
    for (const auto& each : rows) {
        const auto text = json::dump(json::parse(each));
        const auto key = json::parse(each).at("order").as_string();
        write({put(key, text)});
        EXPECT_EQ(row(key), text);
    }
}

TEST_P(store_read_models, replace_and_remove_rows_whatever_is_there) {
    create_with_rows();
    write({put("o-1", bob), put("o-2", ""), put("o-9", "")});
    EXPECT_THAT(row("o-1"), HasSubstr("Bob"));
    EXPECT_EQ(row("o-2"), "none");
    EXPECT_EQ(read_models_->count_rows(table()), 2);
}

TEST_P(store_read_models, refuse_a_row_that_has_changed_since_it_was_read) {
    create_with_rows();
    write({put("o-1", ada, 11, 12)});
    for (const auto& late : {put("o-1", ada, 11, 13), put("o-1", "", 11), put("o-1", ada, 0), put("o-9", "", 11),
                             put("o-9", nobody, 11)}) {
        try {
            write({put("o-2", bob), late}, 1, {{"m", "projector"}});
            FAIL() << "accepted";
        } catch (const expected_version_error& e) {
            EXPECT_THAT(e.what(), HasSubstr("select"));
        }
    }
    EXPECT_EQ(row("o-2"), nobody) << "nothing of the batch was written";
    EXPECT_FALSE(unit_->is_marked("m", "projector"));
    write({put("o-1", "", 12), put("o-9", nobody, 0)});
    EXPECT_EQ(row("o-1"), "none");
}

TEST_P(store_read_models, commit_rows_and_marks_together) {
    create_with_rows();
    write({put("o-1", bob)}, 1, {{"m-1", "projector"}});
    EXPECT_TRUE(unit_->look_at_projection("select", {"m-1", "projector"})->done);
    EXPECT_FALSE(unit_->look_at_projection("select", {"m-1", "another"})->done);
    EXPECT_THROW(write({put("o-2", bob)}, 1, {{"m-1", "projector"}}), duplicate_message);
    EXPECT_EQ(row("o-2"), nobody);

    write({put("o-2", bob)}, 1, {{"m-2", "projector", "content-1"}});
    EXPECT_TRUE(unit_->look_at_projection("select", {"m-2", "projector", "content-1"})->done);
    const auto other = unit_->look_at_projection("select", {"m-2", "projector", "content-2"});
    EXPECT_FALSE(other->done) << "another message of that id";
    EXPECT_TRUE(other->other_content);
    EXPECT_FALSE(unit_->look_at_projection("select", {"m-3", "projector", "content-2"})->other_content);
}

TEST_P(store_read_models, refuse_a_batch_for_another_generation) {
    create_with_rows();
    try {
        write({put("o-1", bob)}, 2, {{"m-1", "projector"}});
        FAIL() << "accepted";
    } catch (const expected_version_error& e) {
        EXPECT_THAT(e.what(), HasSubstr("rebuilt"));
    }
    EXPECT_FALSE(unit_->is_marked("m-1", "projector"));
}

TEST_P(store_read_models, find_rows_by_values_of_every_kind) {
    create_with_rows();
    using enum comparison_kind;
    EXPECT_THAT(keys("customer", equal, "Bob"), ElementsAre("o-3"));
    EXPECT_THAT(keys("customer", not_equal, "Bob"), ElementsAre("o-1", "o-2")) << "a missing one is not Bob";
    EXPECT_THAT(keys("customer", less, "B"), ElementsAre("o-1"));
    EXPECT_THAT(keys("customer", missing), ElementsAre("o-2"));
    EXPECT_THAT(keys("customer", present), ElementsAre("o-1", "o-3"));
    EXPECT_THAT(keys("lines", greater_or_equal, 3), ElementsAre("o-1", "o-3"));
    EXPECT_THAT(keys("lines", less_or_equal, -7), ElementsAre("o-2"));
    EXPECT_THAT(keys("weight", equal, 0.1), ElementsAre("o-1"));
    EXPECT_THAT(keys("weight", greater, 1), ElementsAre("o-2", "o-3"));
    EXPECT_THAT(keys("urgent", equal, true), ElementsAre("o-1", "o-3"));
    EXPECT_THAT(keys("urgent", not_equal, true), ElementsAre("o-2"));
    EXPECT_THAT(keys("at", equal, "2026-11-23T09:00:00.5+01:00"), ElementsAre("o-1"));
    EXPECT_THAT(keys("at", greater, "2026-11-23T08:00:00.5Z"), ElementsAre("o-3"));
    EXPECT_THAT(keys("due", equal, "2026-11-23"), ElementsAre("o-1"));
    EXPECT_THAT(keys("due", greater, "2026-11-23"), ElementsAre("o-3"));
    EXPECT_THAT(keys("due", missing), ElementsAre("o-2"));
    EXPECT_THAT(keys("price", equal, "9.5"), ElementsAre("o-1"));
    EXPECT_THAT(keys("price", less, "10.00"), ElementsAre("o-1", "o-2")) << "by value, not by text";
    EXPECT_THAT(keys("price", greater_or_equal, "-12"), ElementsAre("o-1", "o-2", "o-3"));
    EXPECT_THAT(keys("took", greater, "PT90M"), ElementsAre("o-3"));
    EXPECT_THAT(keys("took", less, "PT0S"), ElementsAre("o-2"));
    EXPECT_THAT(keys("extra", present), ElementsAre("o-1", "o-2", "o-3"));
    EXPECT_THAT(keys({.where = {{"urgent", equal, true}, {"lines", less, 5}}}), ElementsAre("o-1"));
}

TEST_P(store_read_models, come_in_the_order_asked_for_with_missing_values_last) {
    create_with_rows();
    EXPECT_THAT(keys(row_query{}), ElementsAre("o-1", "o-2", "o-3"));
    EXPECT_THAT(keys({.order = {{"lines", false}}}), ElementsAre("o-2", "o-1", "o-3"));
    EXPECT_THAT(keys({.order = {{"at", false}}}), ElementsAre("o-1", "o-3", "o-2"));
    EXPECT_THAT(keys({.order = {{"at", true}}}), ElementsAre("o-2", "o-3", "o-1"));
    EXPECT_THAT(keys({.order = {{"due", false}}}), ElementsAre("o-1", "o-3", "o-2"));
    EXPECT_THAT(keys({.order = {{"price", false}}}), ElementsAre("o-2", "o-1", "o-3"));
    EXPECT_THAT(keys({.order = {{"price", true}}}), ElementsAre("o-3", "o-1", "o-2"));
    EXPECT_THAT(keys({.order = {{"took", false}}}), ElementsAre("o-2", "o-1", "o-3"));
    EXPECT_THAT(keys({.order = {{"urgent", true}, {"weight", true}}}), ElementsAre("o-3", "o-1", "o-2"));
    EXPECT_THAT(keys({.order = {{"urgent", false}}}), ElementsAre("o-2", "o-1", "o-3")) << "then by key";
    EXPECT_THAT(keys({.order = {}, .limit = 1, .offset = 1}), ElementsAre("o-2"));
    EXPECT_EQ(unit_->count_rows(table(0), {.order = {}, .limit = 1, .offset = 1}), 3);
}

TEST_P(store_read_models, are_rebuilt_into_a_table_of_their_own) {
    create_with_rows();
    commit_events(3);
    const auto begun = read_models_->begin_rebuild(layout_, false, at(0));
    EXPECT_EQ(begun.generation, 2);
    EXPECT_EQ(begun.position, 0);
    read_models_->advance(layout_, step(begun, 0, 2, {put("o-1", bob)}));
    EXPECT_EQ(status().rebuild->position, 2);
    EXPECT_EQ(status().rebuild->updated_at, at(1));
    EXPECT_EQ(read_models_->load_row(table(2), "o-1")->version, 11);
    EXPECT_THAT(row("o-1"), HasSubstr("Ada")) << "the old table counts";

    auto here = begun;
    here.position = 2;
    read_models_->lock(layout_, here);
    EXPECT_EQ(read_models_->end_of_log().head, 3);
    read_models_->complete(layout_, step(begun, 2, 3, {put("o-3", bob)}));
    EXPECT_THAT(row("o-1"), HasSubstr("Bob"));
    EXPECT_THAT(keys(row_query{}), SizeIs(2));
    EXPECT_EQ(status().generation, 2);
    EXPECT_EQ(status().floor, 3);
    EXPECT_TRUE(status().built);
    EXPECT_FALSE(status().rebuild);
    EXPECT_EQ(status().rebuilt_at, at(1));
    EXPECT_THROW(write({put("o-1", ada)}, 1), expected_version_error) << "it was read from the old table";
    EXPECT_EQ(read_models_->drop_former(layout_), 1U);
    EXPECT_EQ(read_models_->drop_former(layout_), 0U);
    EXPECT_TRUE(unit_->look_at_projection("select", {"m-3", "projector"})->done) << "the rebuild has applied it";
    commit({event("m-4")});
    EXPECT_FALSE(unit_->look_at_projection("select", {"m-4", "projector"})->done);
    EXPECT_FALSE(unit_->look_at_projection("select", {"from elsewhere", "projector"})->done);
}

TEST_P(store_read_models, are_rebuilt_with_other_columns) {
    create_with_rows();
    const auto before = row("o-2");
    table_layout next = layout_;
    next.fingerprint = "second";
    next.columns = {{"weight", column_kind::text, false}, {"order", column_kind::text, false}};
    next.indexes = {{"weight"}};
    const auto begun = read_models_->begin_rebuild(next, false, at(0));
    const row_write only{
        .table = {&next, begun.generation}, .key = "x", .row = R"({"weight":"heavy","order":"x"})", .version = 5};
    read_models_->advance(next, step(begun, 0, 0, {only}));
    EXPECT_EQ(row("o-2"), before);
    read_models_->lock(next, begun);
    read_models_->complete(next, step(begun, 0, 0));
    EXPECT_EQ(unit_->load_row({&next, 0}, "x")->row, R"({"weight":"heavy","order":"x"})");
    EXPECT_EQ(status().layout, "second");
}

TEST_P(store_read_models, go_on_with_an_interrupted_rebuild_of_the_same_layout) {
    create_with_rows();
    const auto begun = read_models_->begin_rebuild(layout_, false, at(0));
    read_models_->advance(layout_, step(begun, 0, 7));
    const auto again = store_->open_read_models()->begin_rebuild(layout_, false, at(5));
    EXPECT_EQ(again.generation, begun.generation);
    EXPECT_EQ(again.position, 7);
    EXPECT_EQ(again.started_at, at(0));
    const auto anew = read_models_->begin_rebuild(layout_, true, at(6));
    EXPECT_EQ(anew.generation, begun.generation + 1);
    EXPECT_EQ(anew.position, 0);
    layout_.fingerprint = "second";
    EXPECT_EQ(read_models_->begin_rebuild(layout_, false, at(6)).generation, begun.generation + 2);
}

TEST_P(store_read_models, let_only_one_rebuild_move_on) {
    create_with_rows();
    const auto begun = read_models_->begin_rebuild(layout_, false, at(0));
    const auto other = store_->open_read_models();
    other->advance(layout_, step(begun, 0, 7));
    EXPECT_THROW(read_models_->advance(layout_, step(begun, 0, 5, {put("o-1", bob)})), rebuild_superseded);
    EXPECT_FALSE(read_models_->load_row(table(begun.generation), "o-1")) << "its rows are not written either";
    EXPECT_THROW(read_models_->lock(layout_, begun), rebuild_superseded);
    EXPECT_THROW(read_models_->complete(layout_, step(begun, 0, 5)), rebuild_superseded);
    static_cast<void>(other->begin_rebuild(layout_, true, at(2)));
    auto here = begun;
    here.position = 7;
    EXPECT_THROW(read_models_->lock(layout_, here), rebuild_superseded) << "begun anew by somebody else";
    EXPECT_EQ(status().generation, 1);
}

TEST_P(store_read_models, hand_out_the_log_by_category_in_bounded_parts) {
    for (const auto* id : {"m-1", "m-2", "m-3", "m-4"}) {
        auto one = event(id);
        if (std::string{id} == "m-2") one.event.stream_category = "shop::customer";
        if (std::string{id} == "m-3") one.event.stream_category = "shop::other";
        commit({one});
    }
    const auto ids = [&](const std::vector<std::string>& categories, sequence after, sequence upto, std::size_t limit) {
        std::vector<std::string> all;
        for (const auto& each : read_models_->events(categories, after, upto, limit)) {
            EXPECT_EQ(each.seq, std::stoll(each.event.message_id.substr(2)));
            all.push_back(each.event.message_id);
        }
        return all;
    };
    EXPECT_THAT(ids({"shop::order", "shop::customer"}, 0, 4, 10), ElementsAre("m-1", "m-2", "m-4"));
    EXPECT_THAT(ids({"shop::order"}, 1, 4, 10), ElementsAre("m-4"));
    EXPECT_THAT(ids({"shop::order"}, 0, 3, 10), ElementsAre("m-1"));
    EXPECT_THAT(ids({"shop::order", "shop::customer"}, 0, 4, 2), ElementsAre("m-1", "m-2"));
    const auto first = read_models_->events({"shop::order"}, 0, 1, 1).at(0);
    EXPECT_EQ(first.event.data, R"({"order_id":"o-1"})");
    EXPECT_EQ(first.event.metadata, R"({"headers":{}})");
    EXPECT_EQ(first.event.stream, "shop::order-o-1");
    EXPECT_EQ(first.event.type, "Shop.OrderShipped.v1");
    EXPECT_EQ(first.event.created_at, at(0));
}

TEST_P(store_read_models, under_the_lock_keep_projectors_waiting_and_then_refuse_them) {
    create_with_rows();
    const auto begun = read_models_->begin_rebuild(layout_, false, at(0));
    read_models_->lock(layout_, begun);
    std::promise<void> about_to_commit;
    std::future<bool> refused = std::async(std::launch::async, [&] {
        const auto unit = store_->open_unit();
        about_to_commit.set_value();
        try {
            unit->commit({.marks = {{"m-1", "projector"}},
                          .rows = {put("o-1", bob)},
                          .projection = projection_guard{.name = layout_.name, .generation = 1},
                          .at = at(0)});
        } catch (const expected_version_error&) {
            return true;
        }
        return false;
    });
    about_to_commit.get_future().wait();
    EXPECT_EQ(refused.wait_for(50ms), std::future_status::timeout) << "it did not wait";
    read_models_->complete(layout_, step(begun, 0, 0));
    EXPECT_TRUE(refused.get());
    EXPECT_FALSE(unit_->is_marked("m-1", "projector"));
}

TEST_P(store_read_models, let_projectors_go_on_when_the_lock_is_given_back) {
    create_with_rows();
    const auto begun = read_models_->begin_rebuild(layout_, false, at(0));
    read_models_->lock(layout_, begun);
    read_models_->unlock();
    read_models_->unlock();
    write({put("o-1", bob)});
    read_models_->lock(layout_, begun);
    read_models_.reset();
    write({put("o-1", ada)});
    EXPECT_THAT(row("o-1"), HasSubstr("Ada"));
}

}  // namespace
}  // namespace sluice::store::contract
