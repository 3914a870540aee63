#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <sluice/time.hpp>

#include "broker/reader.hpp"
#include "store/kept_messages.hpp"

namespace sluice::consume {

/// What a reader of a broker without a keeper needs beside it.
struct keeping {
    std::string broker;                ///< configured name
    std::vector<std::string> streams;  ///< as the reader was opened with
    broker::membership member;
    /// The key in whose order a message is handled; empty: it stands alone.
    std::function<std::string(const broker::delivery&)> key_of;
    const clock& time;
    std::size_t most_behind = 200;  ///< messages in memory behind others of their key, for each stream
};

/// Reads from a broker that keeps nothing of what failed: the database of the context does. A message that fails is
/// written there and acknowledged at the broker, so an offset goes on although one key waits. What comes later of that
/// key is written behind it, and handed out when its turn has come.
///
/// After a crash between the two a message is there twice; the inbox knows it. A kept message leaves with what its
/// handler commits, when that commits to the same database (`removal_of`, `removed`), else when it is acknowledged.
/// Entries of kept messages are called `kept/17`.
///
/// Thread safety and errors: as those of a reader. Lifetime: the clock must outlive it.
class keeping_reader final : public broker::reader, public broker::keeper {
public:
    keeping_reader(std::unique_ptr<broker::reader> inner, std::unique_ptr<store::kept_message_session> kept,
                   keeping with);

    [[nodiscard]] std::vector<broker::delivery> read(std::size_t stream, std::size_t limit, date_time now) override;
    [[nodiscard]] base::wake_reason wait(base::wake_signal& signal, duration timeout) override;
    void heartbeat(date_time now) override;
    void release() override;
    void ack(std::size_t stream, std::span<const std::string> entries) override;
    [[nodiscard]] broker::keeper* own_keeper() noexcept override { return this; }

    void defer(std::size_t stream, const broker::delivery& message, int attempts, date_time not_before) override;
    void dead_letter(std::size_t stream, const broker::delivery& message, const broker::death& why) override;

    /// How the message leaves the database, when it is kept there.
    [[nodiscard]] std::optional<store::kept_removal> removal_of(std::size_t stream, std::string_view entry) const;
    /// Its handler has removed it: the acknowledgement need not.
    void removed(std::size_t stream, std::string_view entry);

private:
    struct kept_in_hand {
        store::kept_name name;
        bool removed = false;
    };
    /// One stream, and its messages that this reader has claimed, by entry.
    struct place {
        store::kept_place at;
        std::map<std::string, kept_in_hand, std::less<>> in_hand{};
        std::optional<instant> looked{};  ///< for kept messages; none: something may have become free since
    };

    [[nodiscard]] store::kept_claim claim(date_time now) const;
    void take_kept(place& from, std::size_t limit, date_time now, std::vector<broker::delivery>& into);
    /// Keeps those whose key has to wait, and lets the others through.
    void sort_out(std::size_t stream, std::vector<broker::delivery> fresh, date_time now,
                  std::vector<broker::delivery>& into);
    [[nodiscard]] store::kept_message to_keep(const place& from, const broker::delivery& message,
                                              std::string key) const;
    [[nodiscard]] const store::kept_name* find(const place& from, std::string_view entry) const;

    std::unique_ptr<broker::reader> inner_;
    std::unique_ptr<store::kept_message_session> kept_;
    keeping with_;
    std::string seat_ = with_.member.seat();
    std::vector<place> places_;  ///< in the order of the streams
    bool unread_ = false;        ///< the last read stopped before it had found anything to hand out
};

}  // namespace sluice::consume
