#pragma once

#include <chrono>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

/// The files of services, as an operator would look into them.
namespace sluice::chaos {

using row = std::vector<std::string>;

/// The rows of a query; NULL is an empty text.
[[nodiscard]] std::vector<row> query(const std::filesystem::path& file, const std::string& sql);
/// The first column of the first row; empty when there is none.
[[nodiscard]] std::string one_value(const std::filesystem::path& file, const std::string& sql);

/// Looks again and again until the condition holds; false when it does not in time.
template <class Condition>
[[nodiscard]] bool eventually(const Condition& condition, std::chrono::seconds within = std::chrono::seconds{60}) {
    using namespace std::chrono_literals;
    for (const auto end = std::chrono::steady_clock::now() + within; std::chrono::steady_clock::now() < end;) {
        if (condition()) return true;
        std::this_thread::sleep_for(20ms);
    }
    return condition();
}

}  // namespace sluice::chaos
