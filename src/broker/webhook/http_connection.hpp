#pragma once

#include <memory>
#include <optional>
#include <string>

#include "broker/webhook/answer_reader.hpp"
#include "net/byte_stream.hpp"
#include "net/deadline.hpp"

namespace sluice::broker::webhook {

/// One connection to an endpoint and the request that is under way on it, at most one at a time. Nothing here waits:
/// `advance` goes on as far as it can, `wanted` says what to poll for.
///
/// Thread safety: used by one thread at a time. No member throws for the network's behaviour.
class http_connection {
public:
    enum class state {
        idle,
        under_way,
        answered,  ///< the status is known, and the words with it
        draining,  ///< its message is settled; the rest of the body is still to come
        lost       ///< of no more use; no status will come
    };

    explicit http_connection(std::unique_ptr<net::byte_stream> stream) : stream_{std::move(stream)} {}

    /// Begins a request when it is idle.
    /// @param until  when the head of the answer must have come
    void begin(std::string request, const net::deadline& until);
    state advance();

    /// What was answered is settled: it is idle again, drains for a moment, or is lost.
    void finish();
    /// False for an idle connection that the other side has closed, or will have closed soon.
    [[nodiscard]] bool is_fresh();

    [[nodiscard]] state now() const noexcept { return state_; }
    [[nodiscard]] const answer_reader& answer() const noexcept { return answer_; }
    /// Why it is lost, one line.
    [[nodiscard]] const std::string& trouble() const noexcept { return trouble_; }
    /// The other side closed a connection that had been idle, before it said anything: the request may go once more,
    /// over a new one.
    [[nodiscard]] bool is_stale() const noexcept {
        return state_ == state::lost && served_ > 0 && ended_ && !answer_.has_begun();
    }
    [[nodiscard]] std::string take_request() noexcept { return std::move(request_); }

    [[nodiscard]] int fd() const noexcept { return stream_->fd(); }
    /// Events of poll(2).
    [[nodiscard]] short wanted() const noexcept;
    /// When to call `advance` whatever comes.
    [[nodiscard]] const net::deadline& deadline() const noexcept { return until_; }

private:
    void write();
    void read();
    void lose(std::string why);
    void end_drain();
    [[nodiscard]] bool is_answered() const;

    std::unique_ptr<net::byte_stream> stream_;
    state state_ = state::idle;
    std::string request_{};
    std::size_t sent_ = 0;
    bool write_failed_ = false;
    bool ended_ = false;  ///< by the other side
    short write_wants_ = 0;
    answer_reader answer_{};
    int served_ = 0;  ///< requests that were answered before
    net::deadline until_{duration{0}};
    std::optional<net::deadline> body_until_{};
    net::deadline idle_until_{duration{0}};
    std::string trouble_{};
};

}  // namespace sluice::broker::webhook
