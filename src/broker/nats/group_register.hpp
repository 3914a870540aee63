#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "broker/membership.hpp"
#include "broker/nats/jetstream.hpp"

/// The bucket `sluice-groups`: an entry for each group and stream, which says whose group it is and who reads. It is a
/// key-value bucket as other clients of NATS know it.
namespace sluice::broker::nats {

inline constexpr std::string_view register_stream = "KV_sluice-groups";

/// What stands in the register of one group on one stream.
struct register_entry {
    std::string stream;
    std::string group;
    std::string domain{};
    std::string consumer{};  ///< name of who reads; empty: nobody
    incarnation process{};   ///< of who reads
    duration claim{0};       ///< so long it may be silent
    std::string renamed_from{};

    std::uint64_t revision = 0;     ///< of the entry; 0: there is none yet
    std::optional<date_time> at{};  ///< when it was written, by the server's clock

    [[nodiscard]] bool is_free() const noexcept { return consumer.empty(); }
};

[[nodiscard]] std::string write_register_entry(const register_entry& entry);
/// Nothing when it is no such text. Pure.
[[nodiscard]] std::optional<register_entry> read_register_entry(std::string_view text);

/// The durable consumer of a group on one stream of ours: the same name for all its members.
[[nodiscard]] std::string consumer_name(std::string_view group, std::string_view stream);

/// What to do about a group that has `there` as its entry, last written that long ago. Pure.
enum class lease_step { take, stand_by, stand_by_as_namesake };
[[nodiscard]] lease_step next_lease_step(const membership& us, const register_entry& there, duration age);

/// Reads and writes the register over a session.
///
/// Thread safety: used by one thread at a time.
class group_register {
public:
    /// @param server_time  stands for the server's clock; null: it is asked
    /// @param replicas  of the bucket, when it is made
    explicit group_register(const clock* server_time, std::size_t replicas = 1)
        : server_time_{server_time}, replicas_{replicas} {}

    /// With revision 0 when there is none. @throws outage
    [[nodiscard]] register_entry look(session& on, const std::string& stream, const std::string& group,
                                      const net::deadline& until) const;
    /// Writes unless somebody did since `entry.revision`; the new revision, or nothing. @throws outage
    [[nodiscard]] std::optional<std::uint64_t> write(session& on, const register_entry& entry,
                                                     const net::deadline& until) const;
    /// @throws outage
    void remove(session& on, const std::string& stream, const std::string& group, const net::deadline& until) const;
    /// Every entry. @throws outage
    [[nodiscard]] std::vector<register_entry> all(session& on, const net::deadline& until) const;

    /// Leaves a note that two living processes have one name. @throws outage
    void note_namesake(session& on, const register_entry& at, const std::string& name,
                       const net::deadline& until) const;
    /// The name, when a note is there; else empty. @throws outage
    [[nodiscard]] std::string namesake_of(session& on, const register_entry& at, const net::deadline& until) const;

    /// The time by the clock that entries are written by. @throws outage
    [[nodiscard]] date_time now(session& on, const net::deadline& until) const;

private:
    [[nodiscard]] std::optional<std::uint64_t> put(session& on, const std::string& key, std::string_view text,
                                                   std::optional<std::uint64_t> after,
                                                   const net::deadline& until) const;
    [[nodiscard]] register_entry entry_in(const stored_message& found) const;

    const clock* server_time_;
    std::size_t replicas_;
};

}  // namespace sluice::broker::nats
