#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include <poll.h>

#include "broker/nats/handles.hpp"
#include "broker/nats/mailbox.hpp"
#include "broker/nats/server.hpp"
#include "broker/nats/socket_loop.hpp"
#include "envelope/header.hpp"
#include "net/deadline.hpp"
#include "net/outage.hpp"

namespace sluice::broker::nats {

using net::outage;

/// One connection that is open, until it is closed for good: by the server, by the network, or by its end. No call
/// waits for the network, but for those with a deadline.
///
/// Thread safety: used by one thread at a time.
class session {
public:
    /// Connects and logs in. Blocks for at most `connect_timeout` and however long the name lookup takes.
    /// @throws outage with the library's words
    session(const server& to, const endpoint::host& at, const char* name);
    session(const session&) = delete;
    session& operator=(const session&) = delete;
    ~session();

    /// Why it is closed; nothing while it is open.
    [[nodiscard]] std::optional<std::string> closed() const { return mail_->closed(); }
    /// Largest sum of headers and body that this server takes, in bytes.
    [[nodiscard]] std::size_t max_payload() const;
    /// What the server complained of last, without closing: a right that is missing. Empty: nothing.
    [[nodiscard]] std::string complaint() const;

    /// Hands a message to the library; answers to it come under `token`.
    /// @throws outage when it was not taken, so that it will never be sent
    void send(const std::string& subject, std::string_view token, std::string_view body,
              std::span<const envelope::header> head = {});
    /// While it lives, messages gather and go together at its end: many small writes would cost more than all else.
    class gathering {
    public:
        explicit gathering(session& of) : loop_{of.loop_} { loop_.hold_writes(); }
        gathering(const gathering&) = delete;
        gathering& operator=(const gathering&) = delete;
        ~gathering() { loop_.let_writes_go(); }

    private:
        socket_loop& loop_;
    };
    /// Without an answer. @throws outage
    void post(const std::string& subject, std::string_view body);

    /// Asks and waits for the one answer. Other messages that come meanwhile are kept for `next`.
    /// @throws outage when there is none by then, or nobody who answers
    [[nodiscard]] incoming call(const std::string& subject, std::string_view body, const net::deadline& until);
    /// The same with headers; that nobody answers is an answer, of status 503.
    [[nodiscard]] incoming call_with(const std::string& subject, std::string_view body,
                                     std::span<const envelope::header> head, const net::deadline& until);
    /// The next message that has come; nothing when there is none now.
    [[nodiscard]] std::optional<incoming> next();
    /// Sleeps until there may be a message, or it is closed; false when the time has passed.
    [[nodiscard]] bool wait(const net::deadline& until) {
        return !kept_.empty() || until.wait_for(mail_->fd(), POLLIN);
    }
    /// The same for at least so many, or less when they have not come within `patience`.
    [[nodiscard]] bool wait_for_several(std::size_t messages, duration patience, const net::deadline& until);
    /// To be polled by who waits for other things as well.
    [[nodiscard]] int fd() const noexcept { return mail_->fd(); }

private:
    void listen();
    void close() noexcept;
    void collect();
    void expect_open() const;
    [[nodiscard]] std::string address_of(std::string_view token) const;

    std::shared_ptr<mailbox> mail_ = std::make_shared<mailbox>();
    socket_loop loop_{[mail = mail_](std::string reason) { mail->close(std::move(reason)); }, longest_server_silence};
    connection_handle connection_;
    std::string inbox_;  ///< without the token
    subscription_handle subscription_;
    std::deque<incoming> kept_;
    std::uint64_t last_call_ = 0;
};

}  // namespace sluice::broker::nats
