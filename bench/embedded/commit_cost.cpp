#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <fmt/core.h>

#include "common/scratch.hpp"
#include "common/statistics.hpp"
#include "common/workload.hpp"
#include "embedded/bare.hpp"
#include "embedded/sections.hpp"
#include "store/sqlite/sqlite_database.hpp"

namespace sluice::bench {

namespace {

/// Microseconds for one commit, over `commits` of them.
double time_commits(int commits, const std::function<void()>& commit_one) {
    const auto begin = std::chrono::steady_clock::now();
    for (int i = 0; i < commits; ++i) commit_one();
    const std::chrono::duration<double, std::micro> spent = std::chrono::steady_clock::now() - begin;
    return spent.count() / commits;
}

/// A workload on a file of its own, and who commits to it.
struct subject {
    subject(const std::filesystem::path& file, int external)
        : work{store::make_sqlite_database({.path = file}), external} {}

    workload work;
    committer commits{work};
};

}  // namespace

void measure_commit_cost(const std::filesystem::path& directory, const scale& size) {
    const scratch files{directory};
    subject none{files / "none.db", 0};
    subject one{files / "one.db", 1};
    subject three{files / "three.db", 3};
    plain_insert plain{files / "plain.db", state_text("reading-0001")};

    std::vector<double> plain_us;
    std::vector<double> ratio_none;
    std::vector<double> ratio_one;
    std::vector<double> ratio_three;
    for (int round = 0; round <= size.rounds; ++round) {
        const double base = time_commits(size.commits, [&] { plain.commit_one(); });
        const double with_none = time_commits(size.commits, [&] { none.commits.commit_one(); });
        const double with_one = time_commits(size.commits, [&] { one.commits.commit_one(); });
        const double with_three = time_commits(size.commits, [&] { three.commits.commit_one(); });
        if (round == 0) continue;  // warm-up
        plain_us.push_back(base);
        ratio_none.push_back(with_none / base);
        ratio_one.push_back(with_one / base);
        ratio_three.push_back(with_three / base);
    }

    fmt::print("\nCommit of one aggregate, synchronous=FULL, against a plain insert of its state ({:.0f} us)\n",
               median(plain_us));
    fmt::print("  {:<44}{:>8}\n", "", "ratio");
    fmt::print("  {:<44}{:>7.2f}x\n", "event, internal row", median(ratio_none));
    fmt::print("  {:<44}{:>7.2f}x   aim <= 1.5\n", "event, internal row, 1 external row", median(ratio_one));
    fmt::print("  {:<44}{:>7.2f}x\n", "event, internal row, 3 external rows", median(ratio_three));
}

}  // namespace sluice::bench
