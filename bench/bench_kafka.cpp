// Kafka, by a node of its own: publishing through Sluice's publisher and through the bare library in one run, and
// reading by one, two and four processes of a group.

#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <exception>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <fmt/core.h>
#include <librdkafka/rdkafka.h>

#include "broker/kafka/kafka_broker.hpp"
#include "common/beside_library.hpp"
#include "common/private_server.hpp"
#include "common/scratch.hpp"
#include "common/statistics.hpp"
#include "observe/log.hpp"

namespace sluice::bench {
namespace {

using clock_type = std::chrono::steady_clock;
using std::chrono::milliseconds;
using std::chrono::seconds;

struct kafka_scale {
    int rounds = 5;
    int messages = 40'000;
    int seconds_of_latency = 5;
    int seconds_of_reading = 5;
    int only_batch = 0;  ///< 0: everything
};
constexpr int partitions = 12;
constexpr milliseconds handling{1};

broker::kafka_options options_of(const std::string& uri) {
    return {.uri = uri, .create_topics = true, .partitions = partitions};
}

/// The bare library as its documentation has it: idempotent, everything handed over, and waiting for all reports.
class bare_producer {
public:
    explicit bare_producer(const std::string& uri) {
        std::array<char, 256> text{};
        rd_kafka_conf_t* const conf = rd_kafka_conf_new();
        const auto set = [&](const char* name, const char* value) {
            if (rd_kafka_conf_set(conf, name, value, text.data(), text.size()) != RD_KAFKA_CONF_OK) {
                throw std::runtime_error{text.data()};
            }
        };
        set("bootstrap.servers", uri.substr(uri.rfind('/') + 1).c_str());
        set("enable.idempotence", "true");
        set("linger.ms", "1");
        rd_kafka_conf_set_dr_msg_cb(conf, [](rd_kafka_t*, const rd_kafka_message_t* report, void*) {
            if (report->err != RD_KAFKA_RESP_ERR_NO_ERROR) std::abort();
        });
        producer_.reset(rd_kafka_new(RD_KAFKA_PRODUCER, conf, text.data(), text.size()));
        if (!producer_) throw std::runtime_error{text.data()};
        topic_.reset(rd_kafka_topic_new(producer_.get(), "bench.order", nullptr));
    }
    void publish(const std::vector<broker::outgoing>& batch) {
        for (const broker::outgoing& each : batch) {
            while (rd_kafka_produce(topic_.get(), RD_KAFKA_PARTITION_UA, RD_KAFKA_MSG_F_COPY,
                                    const_cast<char*>(each.body.data()), each.body.size(), each.key.data(),
                                    each.key.size(), nullptr) != 0) {
                rd_kafka_poll(producer_.get(), 1);
            }
        }
        constexpr int longest_ms = 30'000;
        if (rd_kafka_flush(producer_.get(), longest_ms) != RD_KAFKA_RESP_ERR_NO_ERROR) {
            throw std::runtime_error{"no confirmation"};
        }
    }

private:
    struct ends {
        void operator()(rd_kafka_t* p) const { rd_kafka_destroy(p); }
        void operator()(rd_kafka_topic_t* t) const { rd_kafka_topic_destroy(t); }
    };
    std::unique_ptr<rd_kafka_t, ends> producer_;
    std::unique_ptr<rd_kafka_topic_t, ends> topic_;
};

/// Of all threads of this process, the library's among them.
double cpu_seconds() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

void print_comparison(std::string_view name, const publish_batch& by_library, const publish_batch& by_sluice, int batch,
                      const kafka_scale& size) {
    // Microseconds for one message, its making included: they vary less than the rates on a busy machine.
    std::vector<double> their_cpu;
    std::vector<double> our_cpu;
    const auto timed = [&](const publish_batch& by, std::vector<double>& cpu) {
        const double before = cpu_seconds();
        const double rate = per_second(by, size.messages, batch);
        cpu.push_back((cpu_seconds() - before) * 1e6 / size.messages);
        return rate;
    };
    const rates found = compare(
        size.rounds, [&] { return timed(by_library, their_cpu); }, [&] { return timed(by_sluice, our_cpu); });
    fmt::print("batches of {:4}  librdkafka {:8.0f}/s  {} {:8.0f}/s   {:.2f} of it   CPU {:.1f} and {:.1f} us\n", batch,
               found.library, name, found.sluice, found.ratio, median(their_cpu), median(our_cpu));
}

std::unique_ptr<broker::publisher> make_publisher(const broker::kafka_options& options) {
    return broker::make_kafka_broker(options)->open_publisher();
}

void measure_publishing(const std::string& uri, const kafka_scale& size) {
    const broker::producer lane{.name = "bench/lane", .epoch = 1};
    const auto plain = make_publisher(options_of(uri));
    auto with_transactions = options_of(uri);
    with_transactions.transactional = true;
    const auto transactional = make_publisher(with_transactions);
    const publish_batch by_sluice = through(*plain, lane);
    const publish_batch by_transactions = through(*transactional, lane);
    by_sluice(notes{1}.batch());  // makes the topic
    bare_producer bare{uri};
    const publish_batch by_library = [&](const std::vector<broker::outgoing>& batch) { bare.publish(batch); };

    fmt::print("{} messages of {} bytes, {} keys in turn, {} partitions\n", size.messages, bytes_of_note, keys_of_notes,
               partitions);
    for (const int batch : {50, 500, 2'000}) {
        if (size.only_batch != 0 && size.only_batch != batch) continue;
        print_comparison("sluice", by_library, by_sluice, batch, size);
        print_comparison("transactional", by_library, by_transactions, batch, size);
    }
    if (size.only_batch != 0) return;
    fmt::print("sluice, 1 key         {:8.0f}/s\n", per_second(by_sluice, size.messages / 4, 500, 1));
    fmt::print("transactional, 1 key  {:8.0f}/s\n", per_second(by_transactions, size.messages, 500, 1));
    for (const int rate : {100, 2'000}) {
        print_latency("librdkafka", by_library, rate, size.seconds_of_latency);
        print_latency("sluice", by_sluice, rate, size.seconds_of_latency);
    }
}

/// One process of the group: prints how many messages it has handled in the time, once it has its first.
void read_as_member(const std::string& uri, const std::string& group, const std::string& name, int for_seconds) {
    const auto broker = broker::make_kafka_broker(options_of(uri));
    const auto in = broker->open_reader({"bench::order"}, {.group = group, .consumer = name});
    base::wake_signal nobody;
    // All members have joined and share the partitions by then.
    const auto begin = clock_type::now() + seconds{4};
    const auto end = begin + seconds{for_seconds};
    int handled = 0;
    while (clock_type::now() < end) {
        const auto some = in->read(0, 50, date_time{});
        std::vector<std::string> entries;
        for (const auto& each : some) {
            std::this_thread::sleep_for(handling);
            if (clock_type::now() > begin) ++handled;
            entries.push_back(each.entry);
        }
        in->ack(0, entries);
        if (some.empty()) static_cast<void>(in->wait(nobody, milliseconds{100}));
    }
    fmt::print("{}\n", handled);
}

void measure_reading(const std::string& program, const std::string& uri, const kafka_scale& size) {
    fmt::print("\nreading, {} ms of handling each\n", handling.count());
    double alone = 0;
    for (const int processes : {1, 2, 4}) {
        std::vector<std::FILE*> members;
        for (int i = 0; i < processes; ++i) {
            const auto command =
                fmt::format("'{}' --member {} g{} c{} {}", program, uri, processes, i, size.seconds_of_reading);
            members.push_back(::popen(command.c_str(), "r"));
        }
        double total = 0;
        for (std::FILE* member : members) {
            int handled = 0;
            if (std::fscanf(member, "%d", &handled) == 1) total += handled;
            ::pclose(member);
        }
        const double rate = total / size.seconds_of_reading;
        if (processes == 1) alone = rate;
        fmt::print("{} processes  {:8.0f}/s   {:.2f} times one\n", processes, rate, rate / alone);
    }
}

void measure(const std::string& program, const std::filesystem::path& directory, const kafka_scale& size) {
    const scratch place{directory};
    const private_server server{"kafka", place / "kafka"};
    const std::string uri = server.setting("SLUICE_TEST_KAFKA_URI");
    measure_publishing(uri, size);
    if (size.only_batch == 0) measure_reading(program, uri, size);
}

}  // namespace
}  // namespace sluice::bench

int main(int argc, char** argv) {
    using namespace sluice::bench;
    kafka_scale size;
    std::filesystem::path directory = std::filesystem::current_path();
    sluice::observe::configure_log({.threshold = sluice::observe::level::warn});
    try {
        if (argc == 6 && std::string_view{argv[1]} == "--member") {
            read_as_member(argv[2], argv[3], argv[4], std::stoi(argv[5]));
            return 0;
        }
        for (int i = 1; i < argc; ++i) {
            const std::string_view argument = argv[i];
            if (argument == "--quick") {
                size = {.rounds = 1, .messages = 8'000, .seconds_of_latency = 1, .seconds_of_reading = 2};
            } else if (argument == "--batch" && i + 1 < argc) {
                size.only_batch = std::stoi(argv[++i]);
            } else if (argument == "--help" || argument.starts_with('-')) {
                fmt::print(
                    "usage: bench_kafka [--quick] [--batch 50|500|2000] [DIRECTORY]\n"
                    "Starts a Kafka in DIRECTORY (default: here). --batch: only publishing in batches of that size.\n");
                return argument == "--help" ? 0 : 2;
            } else {
                directory = argument;
            }
        }
        measure(argv[0], directory, size);
    } catch (const std::exception& e) {
        fmt::print(stderr, "bench_kafka: {}\n", e.what());
        return 1;
    }
}
