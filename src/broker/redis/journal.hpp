#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// What a producer put into streams and may not have settled yet, as its hash in Redis tells (see make_redis_broker).
namespace sluice::broker::redis {

/// The messages that one transaction added.
struct journal_page {
    struct item {
        std::string stream;
        std::string message_id;
        std::optional<std::uint64_t> fingerprint{};  ///< of the body; none in pages of older builds: counts as any
        friend bool operator==(const item&, const item&) = default;
    };

    std::uint64_t number = 0;   ///< grows with every page of the producer
    std::int64_t position = 0;  ///< highest `outgoing::position` in it; 0: not known
    std::uint64_t since = 0;    ///< the server's milliseconds before it was sent; 0: not known
    std::vector<item> items{};
};

/// The text of a page: number, position and time, each before a line end; then `S` and a stream wherever it changes,
/// and for each message `M` and its id, and `C` and its fingerprint in decimal digits. All texts are `length:bytes`.
/// Older builds wrote the number alone and no fingerprints, which is read as well.
[[nodiscard]] std::string write_journal_page(const journal_page& page);
/// Nothing when the text is not a page.
[[nodiscard]] std::optional<journal_page> read_journal_page(std::string_view text);

/// The field of a producer's hash that holds a page. A page that is settled makes room for the next one, so there are
/// as many fields as there were ever pages in doubt at a time; those without a page hold an empty text.
[[nodiscard]] std::string journal_field(std::size_t slot);

}  // namespace sluice::broker::redis
