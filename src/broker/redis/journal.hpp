#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// What a producer put into streams lately, as its hash in Redis tells (see make_redis_broker).
namespace sluice::broker::redis {

/// One batch: the ids of messages that one transaction added.
struct journal_page {
    struct item {
        std::string stream;
        std::string message_id;
        friend bool operator==(const item&, const item&) = default;
    };

    std::uint64_t number = 0;  ///< grows with every batch of the producer
    std::vector<item> items;
};

/// Pages are kept in the fields `b0` to `b15`, the newest over the oldest.
inline constexpr std::uint64_t journal_pages = 16;
[[nodiscard]] std::string journal_field(std::uint64_t page_number);

/// Encodes a page: its number, a line end, then `S` and a stream wherever it changes and `M` and an id for each
/// message, all texts as `length:bytes`.
class journal_writer {
public:
    explicit journal_writer(std::uint64_t page_number) : text_{std::to_string(page_number) + "\n"} {}
    void add(std::string_view stream, std::string_view message_id);
    [[nodiscard]] const std::string& text() const noexcept { return text_; }

private:
    void write(char mark, std::string_view text);

    std::string text_;
    std::string stream_;
};

/// Nothing when the text is not a page.
[[nodiscard]] std::optional<journal_page> read_journal_page(std::string_view text);

/// Messages that are known to be in a stream already, with their entry where that is known. Pure.
///
/// Thread safety: none.
class recollection {
public:
    void remember(std::string_view stream, std::string_view message_id, std::string_view entry);
    /// The entry, or an empty text when only the fact is known; nothing when the message is not known.
    [[nodiscard]] const std::string* find(std::string_view stream, std::string_view message_id) const;
    /// True when some message of the stream is known without its entry.
    [[nodiscard]] bool misses_entries_of(std::string_view stream) const;
    /// Forgets the messages of the stream that are known without their entry.
    void forget_without_entries(std::string_view stream);
    void clear() { known_.clear(); }

private:
    std::map<std::string, std::map<std::string, std::string, std::less<>>, std::less<>> known_;
};

}  // namespace sluice::broker::redis
