#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "broker/publisher.hpp"
#include "broker/redis/batch_plan.hpp"
#include "broker/redis/connection.hpp"
#include "broker/redis/guard.hpp"
#include "broker/redis/journal.hpp"

namespace sluice::broker::redis {

/// Sends batches as make_redis_broker describes.
class redis_publisher final : public publisher {
public:
    explicit redis_publisher(std::shared_ptr<server> at) : link_{std::move(at), "sluice-publisher"} {}

    [[nodiscard]] std::vector<verdict> publish(std::span<const outgoing> batch, const producer& from,
                                               duration timeout) override;
    [[nodiscard]] std::string probe(duration timeout) override;
    void hurry(duration patience) noexcept override { haste_.hurry(patience); }

private:
    /// The best that the account allows.
    enum class footing {
        fenced,  ///< transactions under the producer's fence, with its journal
        atomic,  ///< transactions
        plain    ///< pipelines
    };

    [[nodiscard]] bool prepared_for(const producer& from);
    void prepare(const producer& from, const deadline& until);
    [[nodiscard]] footing find_footing(const deadline& until);
    void claim(const deadline& until);
    [[nodiscard]] std::vector<guard::fields> shut_out_former(connection& on, const deadline& until) const;
    void load_journal(const guard::fields& from);
    void remember_pages(const guard::fields& from);

    void recall(batch_plan& plan, const deadline& until);
    [[nodiscard]] bool should_look_at(std::string_view stream) const;
    void look_at_tail(std::string_view stream, const deadline& until);

    [[nodiscard]] bool send_all(batch_plan& plan, const deadline& until);
    [[nodiscard]] bool send(batch_plan& plan, const batch_plan::wave& wave, const deadline& until);
    [[nodiscard]] bool send_as_one(batch_plan& plan, const batch_plan::wave& wave, const deadline& until);
    void send_plainly(batch_plan& plan, const batch_plan::wave& wave, const deadline& until);
    void add_wave(commands& to, const batch_plan& plan, const batch_plan::wave& wave) const;
    void add_page(commands& to, const journal_writer& page) const;
    void correct_journal(const batch_plan& plan, const batch_plan::wave& wave, const reply& results,
                         const deadline& until);
    void count_wave();

    haste haste_;
    link link_;
    producer owner_;
    std::optional<guard> fence_;  ///< of the current connection
    std::optional<footing> footing_;
    recollection known_;
    std::set<std::string, std::less<>> looked_at_;  ///< streams whose tail was read over this connection
    std::uint64_t next_page_ = 0;
    std::uint64_t waves_sent_ = 0;
    transaction buffer_;  ///< for its memory
};

}  // namespace sluice::broker::redis
