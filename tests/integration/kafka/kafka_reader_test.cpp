#include <array>
#include <map>
#include <stdexcept>
#include <thread>

#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "integration/kafka/kafka_fixture.hpp"

namespace sluice::broker::kafka {
namespace {

using ::testing::ElementsAre;
using ::testing::ElementsAreArray;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAreArray;

std::vector<std::string> texts(const std::vector<delivery>& all) {
    std::vector<std::string> found;
    for (const auto& each : all) found.push_back(each.body);
    return found;
}

void ack(reader& in, const delivery& which) { in.ack(0, std::array{which.entry}); }

class kafka_reader_test : public ::testing::Test {
protected:
    void publish(const std::vector<letter>& all) {
        ASSERT_EQ(count_of<delivered>(send(*broker_->open_publisher(), all)), all.size());
    }
    [[nodiscard]] std::unique_ptr<reader> join(const std::string& name = "c") const {
        return broker_->open_reader({"shop::order"}, {.group = "g", .consumer = name});
    }
    [[nodiscard]] std::string topic() const { return options_.prefix + "shop.order"; }

    kafka_server server_ = kafka_server::shared();
    kafka_options options_ = options_for(server_);
    sluice::testing::kafka_admin admin_{server_.servers()};
    std::unique_ptr<broker> broker_ = make_kafka_broker(options_);
};

// Traps K18 and K19: what is finished out of order commits nothing that is not.
TEST_F(kafka_reader_test, gets_again_what_was_not_finished_though_later_ones_were) {
    publish(letters("a", 0, 10));
    {
        const auto first = join();
        const auto got = read_all(*first, 10);
        ASSERT_EQ(got.size(), 10U);
        for (std::size_t i = 1; i < got.size(); ++i) ack(*first, got[i]);
    }
    const auto second = join("d");
    EXPECT_THAT(texts(read_all(*second, 1)), ElementsAre("a0"));
    EXPECT_THAT(texts(read_all(*second, 1, milliseconds{500})), IsEmpty()) << "the nine are known";
}

// The same with a process that is killed in its handler.
TEST_F(kafka_reader_test, gets_again_what_a_killed_process_had_in_hand) {
    publish(letters("a", 0, 3));
    std::array<int, 2> ready{};
    ASSERT_EQ(::pipe(ready.data()), 0);
    const pid_t child = ::fork();  // before this process has a client of the library under way
    if (child == 0) {
        const auto mine = make_kafka_broker(options_);
        const auto in = mine->open_reader({"shop::order"}, {.group = "g", .consumer = "c", .claim = seconds{6}});
        const auto got = read_all(*in, 3);
        const char seen = static_cast<char>('0' + got.size());
        static_cast<void>(!::write(ready[1], &seen, 1));
        for (;;) ::pause();
    }
    char seen = 0;
    ASSERT_EQ(::read(ready[0], &seen, 1), 1);
    EXPECT_EQ(seen, '3');
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    EXPECT_THAT(texts(read_all(*join("d"), 3)), ElementsAre("a0", "a1", "a2"));
}

// Trap K23: nothing is skipped in silence.
TEST_F(kafka_reader_test, goes_on_at_the_first_message_that_retention_left) {
    publish(letters("a", 0, 5));
    {
        const auto first = join();
        ack(*first, read_all(*first, 1).at(0));
    }
    admin_.remove_records(topic(), 0, 3);
    EXPECT_THAT(texts(read_all(*join(), 2)), ElementsAre("a3", "a4"));
}

TEST_F(kafka_reader_test, begins_anew_in_a_topic_that_was_made_anew) {
    publish(letters("a", 0, 5));
    {
        const auto first = join();
        for (const auto& each : read_all(*first, 5)) ack(*first, each);
    }
    admin_.remove(topic());
    admin_.create(topic());
    broker_ = make_kafka_broker(options_);
    publish(letters("b", 0, 2));
    EXPECT_THAT(texts(read_all(*join(), 2)), ElementsAre("b0", "b1"));
}

TEST_F(kafka_reader_test, reads_a_partition_that_was_added_from_its_beginning) {
    publish(letters("a", 0, 1));
    const auto in = join();
    ASSERT_EQ(read_all(*in, 1).size(), 1U);
    admin_.add_partitions(topic(), 6);
    std::vector<letter> more;
    for (int i = 0; i < 30; ++i) more.push_back({"m" + std::to_string(i), "k" + std::to_string(i), std::to_string(i)});
    broker_ = make_kafka_broker(options_);
    publish(more);  // before the reader knows of the partitions
    EXPECT_THAT(texts(read_all(*in, 30)), UnorderedElementsAreArray(bodies(more)));
}

TEST_F(kafka_reader_test, finds_a_topic_that_is_made_later) {
    options_.create_topics = false;
    broker_ = make_kafka_broker(options_);
    const auto in = join();
    base::wake_signal nobody;
    EXPECT_THAT(in->read(0, 1, {}), IsEmpty());
    static_cast<void>(in->wait(nobody, seconds{1}));
    admin_.create(topic());
    publish(letters("a", 0, 1));
    EXPECT_THAT(texts(read_all(*in, 1)), ElementsAre("a0"));
}

TEST_F(kafka_reader_test, reads_what_the_tools_write) {
    publish(letters("a", 0, 1));
    sluice::testing::run_command("printf 'order-1|{\"n\":1}' | kcat -P -b " + server_.servers() + " -t " + topic() +
                                 " -K '|' -H ce_id=e1 -H content-type=application/json -H traceparent=00-1-2-03");
    const auto in = join();
    const auto got = read_all(*in, 2);
    ASSERT_EQ(got.size(), 2U);
    EXPECT_EQ(got[1].key, "order-1");
    EXPECT_EQ(got[1].body, "{\"n\":1}");
    EXPECT_EQ(got[1].content_type, "application/json");
    EXPECT_THAT(got[1].head,
                ElementsAre(envelope::header{"ce-id", "e1"}, envelope::header{"traceparent", "00-1-2-03"}));
}

// Members share the partitions: each message once while none fails, those of a key in order.
TEST_F(kafka_reader_test, shares_partitions_among_members_that_come_and_go) {
    options_ = options_for(server_, 6);
    broker_ = make_kafka_broker(options_);
    constexpr int keys = 24;
    constexpr int each_key = 20;
    std::vector<letter> all;
    for (int i = 0; i < each_key; ++i) {
        for (int k = 0; k < keys; ++k) {
            const auto key = "k" + std::to_string(k);
            all.push_back({key + "-" + std::to_string(i), key, std::to_string(i)});
        }
    }
    publish(all);
    std::vector<std::unique_ptr<reader>> members;
    for (int i = 0; i < 3; ++i) members.push_back(join("c" + std::to_string(i)));
    std::map<std::string, int> next;
    std::map<std::string, int> copies;
    int seen = 0;
    int turns = 0;
    const auto finished = [&] {
        for (auto& member : members) {
            for (const auto& each : member->read(0, 7, {})) {
                const int number = std::stoi(each.body);
                int& expected = next[each.key];
                EXPECT_LE(number, expected) << "of " << each.key << ": something was passed over";
                if (number == expected) {
                    ++expected;
                    ++seen;
                } else {
                    ++copies[each.key];
                }
                ack(*member, each);
            }
        }
        if (++turns == 40) members[0] = join("c0");
        if (turns == 120) members[1].reset(), members.erase(members.begin() + 1);
        return seen == keys * each_key;
    };
    EXPECT_TRUE(eventually(finished, seconds{60}));
}

/// Processes of one group that write down what they handle.
class reading_processes {
public:
    explicit reading_processes(kafka_options options) : options_{std::move(options)} {
        if (::pipe(lines_.data()) != 0) throw std::runtime_error{"no pipe"};
    }
    reading_processes(const reading_processes&) = delete;
    reading_processes& operator=(const reading_processes&) = delete;
    ~reading_processes() {
        while (!running_.empty()) kill_oldest();
        for (const int each : lines_) ::close(each);
    }

    void start() {
        const std::string name = "c" + std::to_string(started_++);
        const pid_t child = ::fork();  // while this process has no client of the library
        if (child == 0) read_for_ever(name);
        running_.push_back(child);
    }
    void kill_oldest() {
        ::kill(running_.front(), SIGKILL);
        ::waitpid(running_.front(), nullptr, 0);
        running_.erase(running_.begin());
    }
    /// The next line, `key number`; empty when none comes in time.
    [[nodiscard]] std::string next_line() {
        std::string line;
        pollfd source{.fd = lines_[0], .events = POLLIN, .revents = 0};
        constexpr int patience_ms = 60'000;
        for (char c = 0; ::poll(&source, 1, patience_ms) == 1 && ::read(lines_[0], &c, 1) == 1 && c != '\n';) line += c;
        return line;
    }

private:
    [[noreturn]] void read_for_ever(const std::string& name) const {
        const auto mine = make_kafka_broker(options_);
        const auto in = mine->open_reader({"shop::order"}, {.group = "g", .consumer = name, .claim = seconds{6}});
        for (;;) {
            for (const auto& each : read_all(*in, 5, milliseconds{100})) {
                const std::string line = each.key + ' ' + each.body + '\n';
                static_cast<void>(!::write(lines_[1], line.data(), line.size()));
                std::this_thread::sleep_for(milliseconds{3});  // of handling
                ack(*in, each);
            }
        }
    }

    kafka_options options_;
    std::array<int, 2> lines_{};
    std::vector<pid_t> running_;
    int started_ = 0;
};

// Trap K20: four processes, one of which is killed now and then while another one starts.
TEST_F(kafka_reader_test, passes_over_nothing_while_processes_are_killed_and_started) {
    options_ = options_for(server_, 6);
    broker_ = make_kafka_broker(options_);
    constexpr int keys = 24;
    constexpr int each_key = 25;
    std::vector<letter> all;
    for (int i = 0; i < each_key; ++i) {
        for (int k = 0; k < keys; ++k) {
            const auto key = "k" + std::to_string(k);
            all.push_back({key + "-" + std::to_string(i), key, std::to_string(i)});
        }
    }
    publish(all);
    reading_processes group{options_};
    for (int i = 0; i < 4; ++i) group.start();
    std::map<std::string, int> next;
    int seen = 0;
    int lines = 0;
    while (seen < keys * each_key) {
        const std::string line = group.next_line();
        ASSERT_NE(line, "") << "nothing came in time; " << seen << " of " << keys * each_key << " were handled";
        const auto space = line.find(' ');
        int& expected = next[line.substr(0, space)];
        const int number = std::stoi(line.substr(space + 1));
        ASSERT_LE(number, expected) << "of " << line << ": something was passed over";
        if (number == expected) {
            ++expected;
            ++seen;
        }
        if (++lines % 150 == 0 && lines <= 450) {
            group.kill_oldest();
            group.start();
        }
    }
    RecordProperty("copies", lines - seen);
}

TEST_F(kafka_reader_test, tells_operators_how_far_groups_are) {
    publish(letters("a", 0, 4));
    const auto in = join();
    const auto got = read_all(*in, 2);
    ack(*in, got.at(0));
    const auto operations = broker_->open_operations();
    EXPECT_TRUE(eventually([&] {
        const auto all = operations->groups();
        return all.size() == 1 && all[0].group == "g" && all[0].stream == "shop::order" && all[0].length == 4 &&
               all[0].lag == 2 && all[0].pending == 1;
    }));
}

}  // namespace
}  // namespace sluice::broker::kafka
