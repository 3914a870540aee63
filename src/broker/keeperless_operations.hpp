#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "broker/operations.hpp"

namespace sluice::broker {

/// What operators need of a broker that keeps no failed messages: there are no dead letters at it, and it removes
/// messages by itself, whoever has read them.
class keeperless_operations : public operations {
public:
    [[nodiscard]] std::vector<dead_letter_entry> dead_letters(const dead_letter_filter& /*filter*/) final { return {}; }
    [[nodiscard]] std::size_t count(const dead_letter_filter& /*filter*/) final { return 0; }
    [[nodiscard]] letters_outcome replay(const dead_letter_filter& /*filter*/) final { return {}; }
    [[nodiscard]] letters_outcome purge(const dead_letter_filter& /*filter*/) final { return {}; }
    void abandon_group(std::string_view /*stream*/, std::string_view /*group*/, date_time /*now*/) final {}
    void trim(date_time /*now*/) final {}
};

}  // namespace sluice::broker
