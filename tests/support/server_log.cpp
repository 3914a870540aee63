#include "support/server_log.hpp"

#include <cstddef>
#include <cstdio>
#include <deque>
#include <fstream>
#include <map>
#include <mutex>
#include <string>
#include <system_error>

#include <gtest/gtest.h>

namespace sluice::testing {
namespace {

constexpr std::size_t most_lines = 60;

/// gtest owns it.
class failure_listener final : public ::testing::EmptyTestEventListener {
public:
    static failure_listener& registered() {
        static auto* const one = [] {
            auto* const made = new failure_listener;
            ::testing::UnitTest::GetInstance()->listeners().Append(made);
            return made;
        }();
        return *one;
    }

    void watch(const std::filesystem::path& log) {
        std::error_code missing;
        const auto size = std::filesystem::file_size(log, missing);
        const std::lock_guard lock{mutex_};
        if (is_shown_) return;
        from_.try_emplace(log, missing ? 0 : size);
    }

    void OnTestPartResult(const ::testing::TestPartResult& part) override {
        if (!part.failed()) return;
        const std::lock_guard lock{mutex_};
        for (const auto& [log, offset] : from_) show(log, offset);
        is_shown_ = true;
        from_.clear();
    }
    void OnTestEnd(const ::testing::TestInfo& /*ended*/) override {
        const std::lock_guard lock{mutex_};
        is_shown_ = false;
        from_.clear();
    }

private:
    static void show(const std::filesystem::path& log, std::uintmax_t offset) {
        std::ifstream file{log};
        file.seekg(0, std::ios::end);
        // A server that was started again began its log anew.
        file.seekg(static_cast<std::streamoff>(file.tellg() < static_cast<std::streamoff>(offset) ? 0 : offset));
        std::deque<std::string> last;
        for (std::string line; std::getline(file, line);) {
            last.push_back(line);
            if (last.size() > most_lines) last.pop_front();
        }
        std::printf("what %s has said since the test began (at most %zu lines):\n", log.c_str(), most_lines);
        for (const auto& each : last) std::printf("    %s\n", each.c_str());
        std::fflush(stdout);
    }

    std::mutex mutex_;
    bool is_shown_ = false;
    std::map<std::filesystem::path, std::uintmax_t> from_;  ///< where in each log to begin
};

}  // namespace

void show_on_failure(const std::filesystem::path& log) { failure_listener::registered().watch(log); }

}  // namespace sluice::testing
