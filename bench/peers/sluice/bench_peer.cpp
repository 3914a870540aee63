// Sluice, measured as the other relays are. Beside the commands of `sluice` (`db setup`, `server`):
//
//   bench_peer commit URI RATE COUNT PER_COMMIT PREFIX BYTES
//
// commits COUNT states and events of BYTES bytes, PER_COMMIT in each transaction, on a connection of its own, and
// prints for each event `TAIL NANOSECONDS`: when the commit had returned, by the steady clock. RATE 0: as fast as it
// can.
#include <libpq-fe.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <exception>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <thread>

#include <fmt/format.h>

#include <sluice/sluice.hpp>

namespace {

class reading;

struct reading_taken {
    static constexpr sluice::event_of<reading> contract{.published = true, .name = "ReadingTaken"};
    sluice::identifier reading_id;
    sluice::text content;
};

sluice::domain make_domain() {
    sluice::domain bench{"bench"};
    bench.stream<reading>().events<reading_taken>();
    return bench;
}

struct close_connection {
    void operator()(PGconn* db) const { PQfinish(db); }
};

void run(PGconn* db, const std::string& sql) {
    const std::unique_ptr<PGresult, decltype(&PQclear)> done{PQexec(db, sql.c_str()), PQclear};
    const auto status = PQresultStatus(done.get());
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
        throw std::runtime_error{sql + ": " + PQerrorMessage(db)};
}

int commit(std::span<char*> argument) {
    const double rate = std::stod(argument[1]);
    const int count = std::stoi(argument[2]);
    const int per_commit = std::stoi(argument[3]);
    const std::string prefix = argument[4];
    constexpr std::size_t around = sizeof R"({"reading_id":"T0000000","content":""})" - 1;
    const std::string content(std::stoul(argument[5]) - around, 'x');
    const std::unique_ptr<PGconn, close_connection> db{PQconnectdb(argument[0])};
    const sluice::transactional_outbox outbox{make_domain(), "domain.toml"};
    std::string report;
    const auto begin = std::chrono::steady_clock::now();
    for (int first = 0; first < count; first += per_commit) {
        if (rate > 0) std::this_thread::sleep_until(begin + std::chrono::nanoseconds{std::llround(first * 1e9 / rate)});
        const int end = std::min(count, first + per_commit);
        run(db.get(), "BEGIN");
        for (int i = first; i < end; ++i) {
            const auto tail = fmt::format("{}{:07}", prefix, i);
            run(db.get(), fmt::format("INSERT INTO state VALUES ('{0}', json_build_object('id', '{0}'))", tail));
            outbox.enqueue(db.get(), reading_taken{.reading_id = tail, .content = content});
        }
        run(db.get(), "COMMIT");
        const auto at = std::chrono::nanoseconds{std::chrono::steady_clock::now().time_since_epoch()}.count();
        for (int i = first; i < end; ++i) report += fmt::format("{}{:07} {}\n", prefix, i, at);
    }
    fmt::print("{}", report);
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    const std::span arguments{argv, static_cast<std::size_t>(argc)};
    if (argc != 8 || std::string{argv[1]} != "commit") return sluice::run(argc, argv, make_domain);
    try {
        return commit(arguments.subspan(2));
    } catch (const std::exception& problem) {
        fmt::print(stderr, "bench_peer: {}\n", problem.what());
        return 1;
    }
}
