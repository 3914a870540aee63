#include "store/records.hpp"

#include <array>
#include <string>
#include <utility>

#include <sluice/error.hpp>

namespace sluice::store {
namespace {

constexpr std::array<std::pair<row_status, const char*>, 5> words{{{row_status::pending, "pending"},
                                                                   {row_status::processing, "processing"},
                                                                   {row_status::published, "published"},
                                                                   {row_status::failed, "failed"},
                                                                   {row_status::abandoned, "abandoned"}}};

}  // namespace

const char* to_string(row_status status) noexcept {
    for (const auto& [known, word] : words) {
        if (known == status) return word;
    }
    return "unknown";
}

row_status row_status_from(std::string_view word) {
    for (const auto& [status, known] : words) {
        if (known == word) return status;
    }
    throw decode_error{"'" + std::string{word} +
                       "' is no outbox status; expected pending, processing, published, failed or abandoned"};
}

}  // namespace sluice::store
