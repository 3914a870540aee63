#pragma once

#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

#include "support/eventually.hpp"

/// The files of services, as an operator would look into them.
namespace sluice::chaos {

using row = std::vector<std::string>;

/// The rows of a query; NULL is an empty text.
[[nodiscard]] std::vector<row> query(const std::filesystem::path& file, const std::string& sql);
/// The first column of the first row; empty when there is none.
[[nodiscard]] std::string one_value(const std::filesystem::path& file, const std::string& sql);

/// True when the database of a service has its tables. They come in one transaction: with one of them all are there.
[[nodiscard]] bool is_set_up(const std::filesystem::path& file);

/// True when nobody keeps the lock of the writers for as long as `patience`.
[[nodiscard]] bool can_be_written(const std::filesystem::path& file, std::chrono::milliseconds patience);

/// Looks again and again until the condition holds; false when it does not in time.
template <class Condition>
[[nodiscard]] bool eventually(const Condition& condition, std::chrono::seconds within = sluice::testing::long_enough) {
    return sluice::testing::eventually(condition, within);
}

}  // namespace sluice::chaos
