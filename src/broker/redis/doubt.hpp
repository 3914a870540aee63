#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "broker/publisher.hpp"
#include "broker/redis/journal.hpp"

namespace sluice::broker::redis {

/// What may be in the streams although it counts as unsettled: everything that this producer, and those before it, sent
/// and that the database may not know yet. Pure: no clock, no I/O.
///
/// Each transaction leaves a page in the producer's hash. A page goes when its messages are settled: when the lane said
/// so of the batch that wrote it, or asked for each of its messages again and settled that; or when the lane has
/// settled everything up to the page's position. So a page stays for as long as somebody could send its messages once
/// more, whatever the number of pages is.
///
///     what.begin_batch(from);                                 // some pages may be settled by now
///     if (auto entry = what.recall(message)) …                // a copy: in the stream already
///     auto page = what.new_page(); … fields = what.to_store(page); … what.stored(page);
///
/// Thread safety: used by one thread at a time.
class doubt {
public:
    using fields = std::map<std::string, std::string, std::less<>>;
    using changes = std::vector<std::pair<std::string, std::string>>;

    /// Another producer or another epoch begins.
    void clear();
    /// The hash as it is now. Of pages that were stored since `clear` it is known whether they are settled; all others
    /// are in doubt. Forgets what was seen in the streams.
    void take_over(const fields& stored);
    /// The hash of a former producer: its pages are not ours to remove.
    void look_into(const fields& stored);

    /// A batch is to be published: `from` tells what was settled meanwhile.
    void begin_batch(const producer& from);
    /// The entry of a copy that is in the stream, or an empty text when only the fact is known; nothing when the
    /// message is in no doubt. Call once for each message of a batch.
    [[nodiscard]] std::optional<std::string> recall(const outgoing& message);
    /// An entry of another message with this id, when there is one.
    [[nodiscard]] std::optional<std::string> namesake(const outgoing& message) const;

    [[nodiscard]] journal_page new_page() const { return {.number = next_number_}; }
    /// What to write into the hash so that the page is in it, and settled ones are not.
    [[nodiscard]] changes to_store(const journal_page& page) const;
    /// The transaction that wrote `to_store(page)` was executed.
    void stored(const journal_page& page);
    /// The page that was stored last, with fewer items.
    [[nodiscard]] changes to_correct(const journal_page& page) const;

    /// True when something that the journal names is to be looked for in the stream.
    [[nodiscard]] bool misses_entries_of(std::string_view stream) const;
    /// True when the journal names the message.
    [[nodiscard]] bool names(std::string_view stream, std::string_view message_id) const;
    /// No entry older than this, in milliseconds of the server, can be one that the journal names; 0: not known.
    [[nodiscard]] std::uint64_t oldest_of(std::string_view stream) const;
    /// An entry of the stream was seen.
    void seen(std::string_view stream, std::string_view message_id, std::string_view body, std::string_view entry);
    /// The whole stream was seen. What the journal names and the stream lacks was trimmed, or the stream did not take
    /// it: rather twice than never.
    void saw_all_of(std::string_view stream);

    [[nodiscard]] std::size_t pages() const noexcept { return pages_.size(); }

private:
    struct page_state {
        std::uint64_t number = 0;
        std::optional<std::size_t> slot{};  ///< none: in the hash of a former producer
        std::int64_t position = 0;
        std::uint64_t forget_at = 0;  ///< without a position: gone once a page of this number is written
        std::uint64_t batch = 0;      ///< settled with this one, once nothing is unasked
        std::size_t unasked = 0;      ///< messages that were not asked for again
    };
    /// A message that is, or should be, in a stream.
    struct trace {
        std::uint64_t page = 0;  ///< key in `pages_`; 0: only seen in the stream
        std::optional<std::uint64_t> fingerprint{};
        std::uint64_t since = 0;
        std::string entry{};     ///< empty: not seen
        std::string copy_key{};  ///< of the entry
        bool asked = false;
    };
    using by_id = std::map<std::string, std::vector<trace>, std::less<>>;

    void add(const fields& stored, bool removable);
    void add(const journal_page& page, std::optional<std::size_t> slot);
    void ask(trace& about);
    void settle_pages();
    [[nodiscard]] bool is_settled(const page_state& page) const;
    void forget_traces_without_page();
    [[nodiscard]] const std::vector<trace>* find(std::string_view stream, std::string_view message_id) const;
    [[nodiscard]] static bool is_copy(const trace& known, const outgoing& message);
    [[nodiscard]] bool is_used(std::size_t slot) const;
    [[nodiscard]] std::size_t free_slot() const;

    std::map<std::uint64_t, page_state> pages_;  ///< by a key of our own
    std::map<std::string, by_id, std::less<>> traces_;
    std::set<std::size_t> leftovers_;             ///< free slots that hold the text of a settled page
    std::map<std::uint64_t, std::uint64_t> own_;  ///< batch of each page that we wrote under this epoch, by number
    std::uint64_t next_key_ = 1;
    std::uint64_t next_number_ = 0;
    std::uint64_t batch_ = 0;
    std::uint64_t settled_batch_ = 0;
    std::int64_t settled_upto_ = 0;
    std::size_t last_slot_ = 0;
};

}  // namespace sluice::broker::redis
