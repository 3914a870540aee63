#include "common/beside_library.hpp"

#include <fmt/core.h>

#include <chrono>
#include <deque>
#include <stdexcept>
#include <thread>
#include <utility>
#include <variant>

#include "common/statistics.hpp"

namespace sluice::bench {

namespace {

using clock_type = std::chrono::steady_clock;

int last_note = 0;

}  // namespace

notes::notes(int count, int among_keys) : body_(bytes_of_note, 'x') {
    for (int i = 0; i < count; ++i) {
        const int number = last_note++;
        ids_.push_back(fmt::format("bench::order-{}-0.1", number));
        keys_.push_back(fmt::format("bench::order-{}", number % among_keys));
    }
    for (std::size_t i = 0; i < ids_.size(); ++i) {
        batch_.push_back({.stream = "bench::order", .message_id = ids_[i], .key = keys_[i], .body = body_});
    }
}

publish_batch through(broker::publisher& to, broker::producer from) {
    return [&to, from = std::move(from)](const std::vector<broker::outgoing>& batch) {
        for (const auto& verdict : to.publish(batch, from, std::chrono::seconds{30})) {
            if (!std::holds_alternative<broker::delivered>(verdict)) {
                throw std::runtime_error{"a message was not delivered"};
            }
        }
    };
}

double per_second(const publish_batch& publish, int messages, int batch, int among_keys) {
    std::deque<notes> all;
    for (int made = 0; made < messages; made += batch) all.emplace_back(batch, among_keys);
    const auto begin = clock_type::now();
    for (const notes& each : all) publish(each.batch());
    return messages / std::chrono::duration<double>(clock_type::now() - begin).count();
}

rates compare(int rounds, const std::function<double()>& library, const std::function<double()>& sluice) {
    std::vector<double> theirs;
    std::vector<double> ours;
    std::vector<double> ratios;
    for (int round = 0; round <= rounds; ++round) {
        const double of_library = library();
        const double of_sluice = sluice();
        if (round == 0) continue;
        theirs.push_back(of_library);
        ours.push_back(of_sluice);
        ratios.push_back(of_sluice / of_library);
    }
    return {
        .library = median(std::move(theirs)), .sluice = median(std::move(ours)), .ratio = median(std::move(ratios))};
}

void print_latency(std::string_view name, const publish_batch& publish, int rate, int seconds) {
    std::vector<double> took;
    const auto begin = clock_type::now();
    for (int i = 0; i < rate * seconds; ++i) {
        std::this_thread::sleep_until(begin + std::chrono::microseconds{1'000'000LL * i / rate});
        const notes one{1};
        const auto sent = clock_type::now();
        publish(one.batch());
        took.push_back(std::chrono::duration<double, std::milli>(clock_type::now() - sent).count());
    }
    fmt::print("{:12} {:5}/s  p50 {:6.3f} ms  p99 {:6.3f} ms\n", name, rate, median(took), quantile(took, 0.99));
}

}  // namespace sluice::bench
