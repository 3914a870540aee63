#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "store/audit.hpp"

namespace sluice::store {

/// What a broker has of what it has confirmed: confirmed = present + expired + missing.
struct delivery_sum {
    std::int64_t confirmed = 0;         ///< by the ledger
    std::int64_t present = 0;           ///< of those, at the broker
    std::int64_t expired = 0;           ///< of those, removed by the broker's retention
    std::int64_t missing = 0;           ///< of those, gone although the broker keeps what is older
    std::int64_t doubled = 0;           ///< entries of an event that the broker had before
    std::int64_t out_of_order = 0;      ///< entries behind a later event of their stream
    std::vector<audit_fault> faults{};  ///< the first `audit_sum::most_named`

    [[nodiscard]] bool closes() const noexcept { return missing == 0 && doubled == 0 && out_of_order == 0; }
};

/// A number of the log is in it or not.
class sequence_set {
public:
    /// Of numbers `after` < seq ≤ `upto`.
    sequence_set(sequence after, sequence upto);

    /// False when it was in it, or cannot be.
    bool insert(sequence seq);
    [[nodiscard]] bool contains(sequence seq) const noexcept;
    void clear();

private:
    [[nodiscard]] bool covers(sequence seq) const noexcept { return seq > after_ && seq <= upto_; }

    sequence after_;
    sequence upto_;
    std::vector<bool> bits_;
};

/// Compares what the ledger says a broker has confirmed with what the broker keeps. Pure.
///
///     for (each confirmed event) audit.expect(seq);
///     for (each stream) for (each entry) { if (is the first of a part) audit.begin_part(); audit.see(…); }
///     for (each confirmed event) if (audit.is_unseen(seq)) audit.lose(seq, has it expired);
///
/// Memory: a few bits for each number of the log, so that it does not matter how far apart in both lists an event
/// stands: 5 MB for ten million. And the highest number of each of the last `window` to twice as many streams. Nothing
/// older can convict an entry, unless that is older than all that was let go; then whoever has the log is asked.
///
/// Thread safety: used by one thread at a time.
class delivery_audit {
public:
    /// Of the events `after` < seq ≤ `upto`; entries of others are passed over.
    /// @param window  streams; some 24 MB
    explicit delivery_audit(sequence after, sequence upto, std::size_t window = 262'144);

    /// The ledger says that the broker has confirmed it.
    void expect(sequence seq);
    /// What comes now has an order of its own.
    void begin_part();

    enum class place {
        told,    ///< whatever there was to say of it is in the sum
        unknown  ///< so far behind that a later event of its stream may have been let go: see `is_in_part`
    };
    /// The next entry of the part.
    /// @param version  of the payload: an event may be sent once in each. 0: its own
    [[nodiscard]] place see(sequence seq, std::string_view stream, int version = 0);
    /// Whether the event has an entry in this part, up to now.
    [[nodiscard]] bool is_in_part(sequence seq) const noexcept { return here_.contains(seq); }
    /// The event whose place was `unknown` is behind a later one of its stream.
    void convict(sequence seq) { note(audit_fault::kind::out_of_order, seq); }

    /// Whether the broker has no entry of it.
    [[nodiscard]] bool is_unseen(sequence seq) const noexcept {
        return expected_.contains(seq) && !seen_.contains(seq);
    }
    /// What became of one that is unseen.
    void lose(sequence seq, bool has_expired);
    [[nodiscard]] bool has_unseen() const noexcept {
        return sum_.present + sum_.expired + sum_.missing < sum_.confirmed;
    }

    [[nodiscard]] const delivery_sum& sum() const noexcept { return sum_; }

private:
    using last_of_streams = std::unordered_map<std::uint64_t, sequence>;  ///< by the fingerprint of the name

    /// The highest number of the stream before this entry, as far as it is still known; 0: none.
    [[nodiscard]] sequence exchange_last(std::string_view stream, sequence seq);
    void let_go();
    void note(audit_fault::kind what, sequence seq);

    sequence after_;
    sequence upto_;
    std::size_t window_;
    delivery_sum sum_{};
    sequence_set expected_;
    sequence_set seen_;
    sequence_set here_;
    std::map<int, sequence_set> versions_{};  ///< what was seen of other versions
    last_of_streams recent_{};
    last_of_streams earlier_{};
    sequence let_go_ = 0;  ///< no stream that was let go has a higher number
};

}  // namespace sluice::store
