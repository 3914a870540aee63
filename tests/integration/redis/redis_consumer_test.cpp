#include <algorithm>

#include <sluice/error.hpp>
#include <sluice/json.hpp>

#include "integration/redis/redis_fixture.hpp"
#include "support/consumer.hpp"

namespace sluice::broker::redis_test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class redis_consumer : public redis_test {
protected:
    redis_consumer() : redis_test{{"--appendonly", "yes", "--appendfsync", "always"}} {}

    std::unique_ptr<sluice::testing::consumer> join(const std::string& name, duration claim = seconds{30}) {
        return sluice::testing::open_consumer(*broker_, order_stream, {.group = "g", .consumer = name, .claim = claim});
    }
    void deliver(int from, int count) {
        std::vector<note> notes;
        for (int i = from; i < from + count; ++i) notes.push_back({fmt::format("m{}", i)});
        for (const auto& v : publish(*publisher_, notes)) ASSERT_TRUE(is<delivered>(v)) << told(v);
    }
    static strings entries(const std::vector<delivery>& deliveries) {
        strings found;
        for (const auto& d : deliveries) found.push_back(d.entry);
        return found;
    }
    static int count_of(std::string_view text, std::string_view word) {
        int count = 0;
        for (auto at = text.find(word); at != std::string_view::npos; at = text.find(word, at + word.size())) ++count;
        return count;
    }
    static strings ids_of(const std::vector<delivery>& deliveries) {
        strings ids;
        for (const auto& d : deliveries) {
            const auto whole = json::parse(d.body);
            ids.push_back(whole.at("metadata").at("headers").at("id").as_string());
        }
        return ids;
    }
    /// Reads until something comes, through reconnecting.
    strings next(sluice::testing::consumer& from) {
        strings got;
        EXPECT_TRUE(eventually([&] {
            try {
                got = ids_of(from.read(100, now_));
            } catch (const broker_error&) {
                return false;
            }
            return !got.empty();
        }));
        return got;
    }
    /// Of a process with an incarnation.
    std::unique_ptr<sluice::testing::consumer> join(const std::string& name, const incarnation& process,
                                                    duration claim = seconds{30}) {
        return sluice::testing::open_consumer(*broker_, order_stream,
                                              {.group = "g", .consumer = name, .claim = claim, .process = process});
    }
    /// From now on the server takes nothing that needs memory.
    void fill() const { server_.cli({"config", "set", "maxmemory", "1"}); }
    void empty() const { server_.cli({"config", "set", "maxmemory", "0"}); }
    strings names() const {
        strings found;
        const auto told = lines(server_.cli({"xinfo", "consumers", order_stream, "g"}));
        for (std::size_t i = 0; i + 1 < told.size(); ++i) {
            if (told[i] == "name") found.push_back(told[i + 1]);
        }
        return found;
    }
    std::string pending() const { return lines(server_.cli({"xpending", order_stream, "g"})).at(0); }

    const std::unique_ptr<broker> broker_ = connect({.answer_timeout = seconds{2}});
    const std::unique_ptr<publisher> publisher_ = broker_->open_publisher();
    date_time now_ = system_clock().now();
    const death exhausted_{.reason = "no such order", .code = "handler_failed", .attempts = 3, .at = now_};
};

TEST_F(redis_consumer, operations_that_wait_for_a_hung_server_end_when_they_are_hurried) {
    using steady = std::chrono::steady_clock;
    const auto broker = connect({.answer_timeout = seconds{120}});
    const auto operations = broker->open_operations();
    EXPECT_THAT(operations->known_groups(), IsEmpty());
    server_.freeze();
    const auto begun = steady::now();
    std::string reason;
    std::jthread asking{[&] {
        try {
            static_cast<void>(operations->known_groups());
        } catch (const broker_error& e) {
            reason = e.what();
        }
    }};
    operations->hurry(milliseconds{0});
    asking.join();
    EXPECT_LT(steady::now() - begun, seconds{60});
    EXPECT_THAT(reason, HasSubstr("did not answer"));
    server_.thaw();
}

TEST_F(redis_consumer, goes_on_after_the_server_restarted) {
    deliver(0, 3);
    const auto reader = join("c");
    const auto got = reader->read(2, now_);
    server_.stop();
    EXPECT_THROW(static_cast<void>(reader->read(10, now_)), broker_error);
    server_.start_again();

    reader->ack(strings{got.at(0).entry});
    EXPECT_THAT(next(*reader), ElementsAre("m2")) << "what it holds is not handed out again";
    EXPECT_EQ(pending(), "2");
}

TEST_F(redis_consumer, begins_anew_when_everything_or_its_group_was_removed) {
    deliver(0, 2);
    const auto reader = join("c");
    reader->ack(strings{reader->read(1, now_).at(0).entry});
    server_.cli({"flushall"});
    EXPECT_THAT(reader->read(10, now_), IsEmpty());
    deliver(2, 1);
    EXPECT_THAT(next(*reader), ElementsAre("m2"));

    server_.cli({"xgroup", "destroy", order_stream, "g"});
    deliver(3, 1);
    EXPECT_THAT(next(*reader), ElementsAre("m3")) << "m2 is still held";
    EXPECT_THAT(next(*join("c")), ElementsAre("m2", "m3"));
}

TEST_F(redis_consumer, takes_up_any_number_of_pending_messages_in_order) {
    deliver(0, 250);
    ASSERT_THAT(join("c")->read(250, now_), SizeIs(250));
    const auto reader = join("c");
    strings expected;
    strings got;
    for (int i = 0; i < 250; ++i) expected.push_back(fmt::format("m{}", i));
    while (got.size() < 250) {
        const auto some = ids_of(reader->read(40, now_));
        ASSERT_THAT(some, Not(IsEmpty()));
        got.insert(got.end(), some.begin(), some.end());
    }
    EXPECT_EQ(got, expected);
}

TEST_F(redis_consumer, shares_its_group_with_other_software) {
    deliver(0, 3);
    const auto reader = join("c");
    const auto first = reader->read(1, now_);
    ASSERT_THAT(ids_of(first), ElementsAre("m0"));
    server_.cli({"xreadgroup", "group", "g", "python-peer", "count", "1", "streams", order_stream, ">"});
    const auto second = reader->read(10, now_);
    EXPECT_THAT(ids_of(second), ElementsAre("m2")) << "m1 is with the peer";
    reader->ack(entries(first));
    reader->ack(entries(second));
    reader->release();

    const auto impatient = join("c", milliseconds{200});
    EXPECT_THAT(next(*impatient), ElementsAre("m1")) << "the peer is silent for longer than the claim time";
}

TEST_F(redis_consumer, takes_over_all_that_other_software_left_before_it_reads_what_is_new) {
    constexpr int left = 2500;
    deliver(0, left);
    const auto reader = join("c", milliseconds{200});
    ASSERT_THAT(reader->read(1, now_), SizeIs(1));
    server_.cli({"xreadgroup", "group", "g", "python-peer", "count", "5000", "streams", order_stream, ">"});
    deliver(left, 1);
    // A busy server takes its time over so many entries, so the last one was given later than the first.
    ASSERT_TRUE(eventually([&] {
        const auto silent =
            server_.cli({"xpending", order_stream, "g", "idle", "200", "-", "+", "5000", "python-peer"});
        return count_of(silent, "python-peer") == left - 1;
    })) << "the peer is silent";

    strings got{"m0"};
    while (got.size() <= left) {
        const auto some = ids_of(reader->read(300, now_));
        ASSERT_THAT(some, Not(IsEmpty()));
        got.insert(got.end(), some.begin(), some.end());
    }
    for (int i = 0; i <= left; ++i) ASSERT_EQ(got.at(static_cast<std::size_t>(i)), fmt::format("m{}", i));
}

TEST_F(redis_consumer, replaces_a_silent_reader_whose_clock_is_a_day_ahead) {
    deliver(0, 2);
    const auto day = std::chrono::hours{24};
    const auto silent = join("silent", milliseconds{500});
    const auto held = silent->read(2, now_ + day);
    ASSERT_THAT(held, SizeIs(2));
    silent->defer(held.at(0).entry, 1, now_ + day + seconds{600});
    silent->heartbeat(now_ + day);

    const auto heir = join("heir", milliseconds{500});
    std::vector<delivery> got;
    ASSERT_TRUE(eventually([&] {
        now_ = system_clock().now();
        got = heir->read(10, now_);
        return !got.empty();
    }));
    EXPECT_THAT(ids_of(got), ElementsAre("m0", "m1"));
    ASSERT_TRUE(got[0].not_before);
    EXPECT_GT(*got[0].not_before, now_ + seconds{500}) << "ten minutes later, by either clock";
    EXPECT_LT(*got[0].not_before, now_ + seconds{700});
}

TEST_F(redis_consumer, replaces_a_silent_reader_although_the_clock_of_the_server_was_set_back) {
    deliver(0, 1);
    const auto silent = join("silent", milliseconds{300});
    ASSERT_THAT(silent->read(1, now_), SizeIs(1));
    const auto in_a_day = (now_ + std::chrono::hours{24}).micros();
    server_.cli({"hset", "sluice:group:g@shop::order", "alive_until", std::to_string(in_a_day)});
    EXPECT_THAT(next(*join("heir", milliseconds{300})), ElementsAre("m0"));
}

TEST_F(redis_consumer, goes_on_while_the_server_is_at_its_maxmemory) {
    deliver(0, 6);
    const auto reader = join("c");
    const auto got = reader->read(3, now_);
    ASSERT_THAT(ids_of(got), ElementsAre("m0", "m1", "m2"));
    fill();
    reader->ack(strings{got.at(0).entry});
    reader->defer(got.at(1).entry, 1, now_ + seconds{60});
    reader->dead_letter(got.at(2), exhausted_);
    reader->heartbeat(now_);
    EXPECT_THAT(ids_of(reader->read(1, now_)), ElementsAre("m3"));
    EXPECT_EQ(pending(), "2");
    EXPECT_EQ(server_.cli({"xlen", "shop::order:dlq"}), "1");

    const auto heir = join("heir");
    EXPECT_THAT(heir->read(10, now_), IsEmpty()) << "the lease holds";
    reader->release();
    const auto inherited = heir->read(10, now_);
    EXPECT_THAT(ids_of(inherited), ElementsAre("m1", "m3", "m4", "m5"));
    EXPECT_EQ(inherited.at(0).attempts, 1);
    empty();
    deliver(6, 1);
    EXPECT_THAT(next(*heir), ElementsAre("m6"));
}

TEST_F(redis_consumer, lets_a_former_reader_settle_nothing_while_the_server_is_full) {
    deliver(0, 2);
    const auto former = join("former", milliseconds{300});
    const auto held = former->read(1, now_);
    fill();
    const auto heir = join("heir");
    EXPECT_THAT(next(*heir), ElementsAre("m0", "m1")) << "the former reader is silent for too long";
    former->dead_letter(held.at(0), exhausted_);
    former->ack(entries(held));
    EXPECT_EQ(pending(), "2");
    EXPECT_EQ(server_.cli({"exists", "shop::order:dlq"}), "0");
}

TEST_F(redis_consumer, says_what_a_full_server_without_scripts_needs) {
    server_.cli({"acl", "setuser", "default", "-eval"});
    deliver(0, 1);
    const auto reader = join("c");
    ASSERT_THAT(reader->read(0, now_), IsEmpty());
    fill();
    try {
        static_cast<void>(reader->read(1, now_));
        FAIL() << "read without memory and without EVAL";
    } catch (const broker_error& e) {
        EXPECT_THAT(e.what(), HasSubstr("needs EVAL of Redis 7"));
        EXPECT_THAT(e.what(), HasSubstr("raise maxmemory"));
    }
    empty();
    EXPECT_THAT(next(*reader), ElementsAre("m0"));
}

TEST_F(redis_consumer, removes_the_names_of_readers_that_it_followed) {
    deliver(0, 3);
    for (const auto* name : {"pod-a", "pod-b", "pod-c"}) {
        const auto reader = join(name);
        ASSERT_THAT(next(*reader), Not(IsEmpty()));
        reader->release();
    }
    const auto last = join("pod-d");
    EXPECT_THAT(next(*last), ElementsAre("m0", "m1", "m2"));
    EXPECT_THAT(names(), ElementsAre("pod-d"));
    EXPECT_EQ(server_.cli({"smembers", "sluice:readers:g@shop::order"}), "pod-d");
}

TEST_F(redis_consumer, removes_names_of_other_software_that_are_idle_and_hold_nothing) {
    deliver(0, 2);
    server_.cli({"xgroup", "create", order_stream, "g", "0"});
    server_.cli({"xgroup", "createconsumer", order_stream, "g", "gone"});
    server_.cli({"xreadgroup", "group", "g", "holds-one", "count", "1", "streams", order_stream, ">"});
    const auto reader = join("c", milliseconds{20});
    EXPECT_TRUE(eventually([&] {
        static_cast<void>(reader->read(10, now_));
        return std::ranges::count(names(), "gone") == 0;
    }));
}

TEST_F(redis_consumer, leaves_a_mark_when_another_process_has_its_name) {
    deliver(0, 1);
    const auto one = join("shop-0", {.id = "1", .place = "here"});
    ASSERT_THAT(one->read(1, now_), SizeIs(1));
    const auto two = join("shop-0", {.id = "2", .place = "there"});
    EXPECT_THAT(two->read(1, now_), IsEmpty());
    EXPECT_EQ(server_.cli({"get", "sluice:namesake:g@shop::order"}), "shop-0");
    EXPECT_THAT(one->read(1, now_), IsEmpty());
    one->release();
    EXPECT_THAT(next(*two), ElementsAre("m0")) << "it works as well as any other";
}

TEST_F(redis_consumer, is_not_kept_awake_by_what_others_of_its_group_read) {
    const auto reader = join("c");
    ASSERT_THAT(reader->read(10, now_), IsEmpty());
    deliver(0, 1);
    server_.cli({"xreadgroup", "group", "g", "python-peer", "streams", order_stream, ">"});
    base::wake_signal signal;
    EXPECT_EQ(reader->wait(signal, testing::long_enough), base::wake_reason::file_changed);
    EXPECT_THAT(reader->read(10, now_), IsEmpty());
    EXPECT_EQ(reader->wait(signal, milliseconds{50}), base::wake_reason::timed_out);
    deliver(1, 1);
    EXPECT_EQ(reader->wait(signal, testing::long_enough), base::wake_reason::file_changed);
}

TEST_F(redis_consumer, hands_out_an_entry_of_another_form_as_what_cannot_be_decoded) {
    server_.cli({"xadd", order_stream, "*", "payload", "{}", "by", "somebody"});
    const auto got = join("c")->read(10, now_);
    ASSERT_THAT(got, SizeIs(1));
    EXPECT_THAT(got[0].body, HasSubstr("has no field \"data\": payload={} by=somebody"));
    EXPECT_THROW(static_cast<void>(json::parse(got[0].body)), decode_error);
}

TEST_F(redis_consumer, lets_go_of_messages_that_were_trimmed_while_pending) {
    deliver(0, 3);
    ASSERT_THAT(join("c")->read(2, now_), SizeIs(2));
    server_.cli({"xtrim", order_stream, "maxlen", "1"});
    EXPECT_THAT(next(*join("c")), ElementsAre("m2"));
    EXPECT_EQ(pending(), "1");
}

TEST_F(redis_consumer, writes_dead_letters_as_protean_does) {
    deliver(0, 1);
    const auto reader = join("c");
    const auto got = reader->read(10, now_);
    reader->dead_letter(got.at(0), exhausted_);

    const auto entry = lines(server_.cli({"xrange", "shop::order:dlq", "-", "+"}));
    ASSERT_THAT(entry, SizeIs(3));
    EXPECT_EQ(entry[1], "data");
    const auto letter = json::parse(entry[2]);
    EXPECT_EQ(letter.at("data").at("n").as_int(), 1);
    EXPECT_EQ(letter.at("metadata").at("headers").at("id").as_string(), "m0");
    const auto& metadata = letter.at("_dlq_metadata");
    EXPECT_EQ(metadata.at("original_stream").as_string(), order_stream);
    EXPECT_EQ(metadata.at("original_id").as_string(), got[0].entry);
    EXPECT_EQ(metadata.at("consumer_group").as_string(), "g");
    EXPECT_EQ(metadata.at("consumer").as_string(), "c");
    EXPECT_EQ(metadata.at("failed_at").as_string(), now_.to_string());
    EXPECT_EQ(metadata.at("retry_count").as_int(), 3);
    EXPECT_EQ(metadata.at("failure_reason").as_string(), "no such order");
    EXPECT_EQ(pending(), "0");
    EXPECT_EQ(broker_->open_operations()->dead_letters({}).at(0).body, note{"m0"}.text());
}

TEST_F(redis_consumer, reads_dead_letters_of_protean) {
    ASSERT_THAT(join("c")->read(1, now_), IsEmpty());
    server_.cli({"xadd", "shop::order:dlq", "*", "data",
                 R"({"data": {"x": 2.0}, "metadata": {}, "_dlq_metadata": {"original_stream": "shop::order", )"
                 R"("original_id": "5-0", "consumer_group": "shopapp.Ful", "consumer": "Ful-vm-1", )"
                 R"("failed_at": null, "retry_count": 3}})"});
    const auto operations = broker_->open_operations();
    const auto dead = operations->dead_letters({});
    ASSERT_THAT(dead, SizeIs(1));
    EXPECT_EQ(dead[0].body, R"({"data": {"x": 2.0}, "metadata": {}})");
    EXPECT_EQ(dead[0].group, "shopapp.Ful");
    EXPECT_EQ(dead[0].reason, "unknown");
    EXPECT_EQ(dead[0].attempts, 3);
    EXPECT_EQ(operations->replay({}).changed, 0U) << "its group would never read the replay";
    EXPECT_EQ(operations->purge({}).changed, 1U);
}

TEST_F(redis_consumer, passes_over_dead_letters_that_cannot_be_replayed_and_names_them) {
    deliver(0, 3);
    for (const auto* group : {"gone", "here"}) {
        const auto reader = sluice::testing::open_consumer(*broker_, order_stream, {.group = group, .consumer = "c"});
        for (const auto& each : reader->read(10, now_)) reader->dead_letter(each, exhausted_);
    }
    server_.cli({"del", "sluice:group:gone@shop::order"});
    const auto operations = broker_->open_operations();
    const auto outcome = operations->replay({});
    EXPECT_EQ(outcome.changed, 3U);
    ASSERT_THAT(outcome.left, SizeIs(1));
    EXPECT_EQ(outcome.left[0].stream, order_stream);
    EXPECT_EQ(outcome.left[0].group, "gone");
    EXPECT_EQ(outcome.left[0].count, 3U);
    EXPECT_THAT(outcome.left[0].reason, HasSubstr("no consumer of Sluice reads for this group"));
    EXPECT_EQ(server_.cli({"xlen", "shop::order:dlq"}), "3");
    EXPECT_EQ(operations->replay({.id = operations->dead_letters({}).at(0).id}).left_count(), 1U);
}

TEST_F(redis_consumer, finds_dead_letters_of_streams_that_nobody_of_ours_reads) {
    const auto* const letter = R"({"data": {}, "metadata": {}, "_dlq_metadata": {"consumer_group": "partner.Group"}})";
    server_.cli({"xadd", "partner::shipment:dlq", "*", "data", letter});
    server_.cli({"set", "no::stream:dlq", "x"});
    const auto operations = broker_->open_operations();
    const auto found = operations->dead_letters({});
    ASSERT_THAT(found, SizeIs(1));
    EXPECT_EQ(found[0].stream, "partner::shipment");
    EXPECT_EQ(operations->count({}), 1U);
    EXPECT_EQ(operations->replay({}).left_count(), 1U);
    EXPECT_EQ(operations->purge({}).changed, 1U);
}

TEST_F(redis_consumer, reads_no_dead_letter_twice_to_count_it) {
    constexpr int letters = 300;
    constexpr std::size_t size = 5000;
    deliver(0, 1);
    const auto reader = join("c");
    ASSERT_THAT(reader->read(1, now_), SizeIs(1));
    const auto letter = R"({"_dlq_metadata": {"consumer_group": "g"}, "x": ")" + std::string(size, 'x') + "\"}";
    for (int i = 0; i < letters; ++i) server_.cli({"xadd", "shop::order:dlq", "*", "data", letter});
    server_.cli({"xadd", "shop::order:dlq", "*", "data", "somebody else's"});

    const auto sent = [&] {
        for (const auto& line : lines(server_.cli({"info", "stats"}))) {
            if (line.starts_with("total_net_output_bytes:")) return std::stoull(line.substr(line.find(':') + 1));
        }
        return 0ULL;
    };
    const auto operations = broker_->open_operations();
    EXPECT_EQ(operations->groups().at(0).dead, letters);
    const auto before = sent();
    EXPECT_EQ(broker_->open_operations()->groups().at(0).dead, letters) << "somebody else asks";
    EXPECT_LT(sent() - before, 20'000U);

    server_.cli({"xtrim", "shop::order:dlq", "maxlen", "101"});
    EXPECT_EQ(operations->groups().at(0).dead, 100) << "what vanished by another's hand is noticed";
}

TEST_F(redis_consumer, is_seen_with_its_dead_letters_although_the_list_of_streams_was_lost) {
    const auto from = join("c");
    ASSERT_TRUE(is<delivered>(publish(*broker_->open_publisher(), {{"m"}}).at(0)));
    const auto got = from->read(1, now_);
    ASSERT_THAT(got, SizeIs(1));
    from->dead_letter(got.front(), {.reason = "no", .code = "x", .attempts = 1, .at = now_});
    server_.cli({"del", "sluice:streams"});
    EXPECT_THAT(broker_->open_operations()->dead_letters({}), SizeIs(1));
    EXPECT_EQ(server_.cli({"smembers", "sluice:streams"}), order_stream) << "and it is there again";
    server_.cli({"del", "sluice:streams"});
    EXPECT_THAT(broker_->open_operations()->groups(), SizeIs(1));
}

TEST_F(redis_consumer, acknowledges_no_dead_letter_that_was_not_kept) {
    deliver(0, 1);
    server_.cli({"set", "shop::order:dlq", "x"});
    const auto reader = join("c");
    const auto got = reader->read(10, now_);
    EXPECT_THROW(reader->dead_letter(got.at(0), exhausted_), broker_error);
    EXPECT_EQ(pending(), "1");
    server_.cli({"del", "shop::order:dlq"});
    reader->dead_letter(got.at(0), exhausted_);
    EXPECT_EQ(pending(), "0");
    EXPECT_EQ(server_.cli({"xlen", "shop::order:dlq"}), "1");
}

TEST_F(redis_consumer, keeps_the_original_id_through_replays) {
    deliver(0, 1);
    const auto operations = broker_->open_operations();
    auto reader = join("c");
    const auto original = reader->read(10, now_).at(0).entry;
    reader = join("c");
    for (int round = 0; round < 3; ++round) {
        const auto got = reader->read(10, now_);
        ASSERT_THAT(got, SizeIs(1));
        reader->dead_letter(got[0], exhausted_);
        EXPECT_EQ(operations->dead_letters({}).at(0).original_entry, original);
        ASSERT_EQ(operations->replay({}).changed, 1U);
    }
    reader->ack(strings{reader->read(10, now_).at(0).entry});
    EXPECT_EQ(server_.cli({"xlen", "sluice:replay:g@shop::order"}), "0") << "nothing is left behind";
    EXPECT_EQ(server_.cli({"exists", "sluice:attempts:g@shop::order"}), "0");
}

TEST_F(redis_consumer, reads_replays_before_what_is_new) {
    deliver(0, 2);
    const auto reader = join("c");
    reader->dead_letter(reader->read(1, now_).at(0), exhausted_);
    deliver(2, 1);
    ASSERT_EQ(broker_->open_operations()->replay({}).changed, 1U);
    EXPECT_THAT(ids_of(reader->read(2, now_)), ElementsAre("m0", "m1"));
    EXPECT_THAT(ids_of(reader->read(10, now_)), ElementsAre("m2"));
}

}  // namespace
}  // namespace sluice::broker::redis_test
