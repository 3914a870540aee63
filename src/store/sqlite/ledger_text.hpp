#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// How the table `outbox_ledger` writes the lists of a record. Pure.
namespace sluice::store::sqlite {

/// ` 3 4 9 `, in which SQL can search for ` 4 `. Nothing for an empty list.
[[nodiscard]] std::optional<std::string> number_list(const std::vector<std::int32_t>& numbers);
[[nodiscard]] std::vector<std::int32_t> numbers_in(std::string_view list);

}  // namespace sluice::store::sqlite
