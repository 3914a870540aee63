#include <sluice/uuid.hpp>

#include <boost/uuid/string_generator.hpp>
#include <boost/uuid/uuid.hpp>
#include <boost/uuid/uuid_io.hpp>

#include <algorithm>
#include <stdexcept>

#include <sluice/error.hpp>

#include "base/one_line.hpp"

namespace sluice {

uuid uuid::parse(std::string_view text) {
    // Boost's reader takes braces, too, and gives another answer for each kind of mistake.
    constexpr std::size_t with_dashes = 36;
    constexpr std::size_t without = 32;
    constexpr auto allowed = "0123456789abcdefABCDEF-";
    try {
        if ((text.size() == with_dashes || text.size() == without) &&
            text.find_first_not_of(allowed) == std::string_view::npos) {
            const auto read = boost::uuids::string_generator{}(text.begin(), text.end());
            bytes_type bytes{};
            std::copy(read.begin(), read.end(), bytes.begin());
            return uuid{bytes};
        }
    } catch (const std::runtime_error&) {
        // It is reported below like every other mistake.
    }
    constexpr std::size_t enough = 64;
    throw decode_error{"'" + base::one_line(text, enough) +
                       "' is not a UUID; expected for example 0f8fad5b-d9cb-469f-a165-70867728950e"};
}

std::string uuid::to_string() const {
    boost::uuids::uuid same{};
    std::copy(bytes_.begin(), bytes_.end(), same.begin());
    return boost::uuids::to_string(same);
}

}  // namespace sluice
