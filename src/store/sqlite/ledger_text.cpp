#include "store/sqlite/ledger_text.hpp"

#include <algorithm>
#include <charconv>
#include <cstddef>

namespace sluice::store::sqlite {

std::optional<std::string> number_list(const std::vector<std::int32_t>& numbers) {
    if (numbers.empty()) return std::nullopt;
    std::string list{' '};
    for (const auto number : numbers) {
        list += std::to_string(number);
        list += ' ';
    }
    return list;
}

std::vector<std::int32_t> numbers_in(std::string_view list) {
    std::vector<std::int32_t> numbers;
    numbers.reserve(static_cast<std::size_t>(std::ranges::count(list, ' ')));
    const auto* const end = list.data() + list.size();
    for (const auto* at = list.data(); at != end;) {
        if (std::int32_t number = 0; *at != ' ') {
            const auto [stopped, trouble] = std::from_chars(at, end, number);
            if (trouble != std::errc{}) break;
            numbers.push_back(number);
            at = stopped;
        } else {
            ++at;
        }
    }
    return numbers;
}

}  // namespace sluice::store::sqlite
