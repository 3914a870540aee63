#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "broker/publisher.hpp"
#include "broker/redis/batch_plan.hpp"
#include "broker/redis/connection.hpp"
#include "broker/redis/doubt.hpp"
#include "broker/redis/guard.hpp"
#include "broker/redis/journal.hpp"
#include "broker/redis/pace.hpp"

namespace sluice::broker::redis {

/// Sends batches as make_redis_broker describes.
class redis_publisher final : public publisher {
public:
    explicit redis_publisher(std::shared_ptr<server> at) : link_{std::move(at), "sluice-publisher"} {}

    [[nodiscard]] std::vector<verdict> publish(std::span<const outgoing> batch, const producer& from,
                                               duration timeout) override;
    [[nodiscard]] std::string probe(duration timeout) override;
    void hurry(duration patience) noexcept override { haste_.hurry(patience); }
    [[nodiscard]] std::optional<fence_state> rival() const override { return rival_; }

private:
    static constexpr std::size_t kibibyte = 1024;

    /// The best that the account allows.
    enum class footing {
        fenced,  ///< transactions under the producer's fence, with its journal
        atomic,  ///< transactions
        plain    ///< pipelines
    };

    [[nodiscard]] bool is_owner(const producer& who) const;
    [[nodiscard]] bool prepared_for(const producer& from);
    void prepare(const producer& from, const net::deadline& until);
    [[nodiscard]] footing find_footing(const net::deadline& until);
    void claim(const net::deadline& until);
    [[nodiscard]] std::vector<guard::fields> shut_out_former(connection& on, const net::deadline& until) const;
    void learn_time(connection& on, const net::deadline& until);

    void recall(batch_plan& plan, const net::deadline& until);
    [[nodiscard]] bool should_look_at(std::string_view stream) const;
    [[nodiscard]] std::uint64_t oldest_in_doubt(std::string_view stream, const batch_plan& plan) const;
    void look_at_tail(std::string_view stream, const batch_plan& plan, const net::deadline& until);
    std::size_t look_at_entry(std::string_view stream, const reply& entry, const std::set<std::string_view>& wanted);

    [[nodiscard]] bool send_all(batch_plan& plan, const net::deadline& until);
    [[nodiscard]] bool send(batch_plan& plan, const batch_plan::wave& wave, const net::deadline& until);
    [[nodiscard]] bool send_as_one(batch_plan& plan, const batch_plan::wave& wave, const net::deadline& until);
    void send_plainly(batch_plan& plan, const batch_plan::wave& wave, const net::deadline& until);
    void add_wave(commands& to, const batch_plan& plan, const batch_plan::wave& wave) const;
    [[nodiscard]] journal_page page_of(const batch_plan& plan, const batch_plan::wave& wave) const;
    void write_down(commands& to, const doubt::changes& what) const;
    void correct_journal(journal_page page, const reply& results, const net::deadline& until);
    void note_streams(const batch_plan& plan, const batch_plan::wave& wave, const reply& results);

    net::haste haste_;
    link link_;
    producer owner_;
    std::optional<fence_state> rival_;  ///< whom the last call met
    std::optional<guard> fence_;        ///< of the current connection
    std::optional<footing> footing_;
    doubt doubt_;
    std::set<std::string, std::less<>> looked_at_;  ///< streams whose tail was read over this connection
    std::set<std::string, std::less<>> streams_;    ///< keys that took a message over this connection
    std::uint64_t server_time_ = 0;                 ///< in milliseconds, some time ago; 0: not known
    pace wave_{{.least = 64 * kibibyte, .first = 1024 * kibibyte, .most = 4096 * kibibyte}};
    duration wave_time_{};
    reading_pace reading_;
    transaction buffer_;  ///< for its memory
};

}  // namespace sluice::broker::redis
