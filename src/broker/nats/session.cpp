#include "broker/nats/session.hpp"

#include <charconv>
#include <limits>
#include <utility>

#include <fmt/format.h>
#include <poll.h>

#include "base/one_line.hpp"

namespace sluice::broker::nats {
namespace {

constexpr int no_responders = 503;

/// What the library's thread needs of a session; it may live longer than that.
struct listener {
    std::shared_ptr<mailbox> mail;
    std::string inbox;  ///< before the token
};

void read_head(natsMsg* message, incoming& into) {
    const char** names = nullptr;
    int count = 0;
    if (natsMsgHeader_Keys(message, &names, &count) != NATS_OK) return;
    const array_handle owned_names{names};
    for (int i = 0; i < count; ++i) {
        const std::string name = names[i];
        const char** values = nullptr;
        int several = 0;
        if (natsMsgHeader_Values(message, names[i], &values, &several) != NATS_OK) continue;
        const array_handle owned_values{values};
        for (int j = 0; j < several; ++j) {
            const std::string value = values[j] == nullptr ? "" : values[j];
            if (name == "Status") std::from_chars(value.data(), value.data() + value.size(), into.status);
            if (name == "Description") into.description = value;
            into.head.push_back({.name = name, .value = value});
        }
    }
}

void take_in(natsConnection* /*connection*/, natsSubscription* /*on*/, natsMsg* message, void* closure) {
    const message_handle owned{message};
    const auto& to = *static_cast<listener*>(closure);
    incoming got;
    const std::string_view subject = natsMsg_GetSubject(message);
    // A message out of a stream keeps the subject that it was published to.
    if (subject.starts_with(to.inbox)) got.token = subject.substr(to.inbox.size());
    if (const char* const reply = natsMsg_GetReply(message)) got.reply = reply;
    got.data.assign(natsMsg_GetData(message), static_cast<std::size_t>(natsMsg_GetDataLength(message)));
    read_head(message, got);
    // Only the server itself sends a status, and never with a body.
    if (!got.data.empty()) got.status = 0;
    to.mail->put(std::move(got));
}

void forget_listener(void* closure) { const std::unique_ptr<listener> ended{static_cast<listener*>(closure)}; }

message_handle made_message(const std::string& subject, const std::string& reply, std::string_view body,
                            std::span<const envelope::header> head) {
    if (body.size() > static_cast<std::size_t>(std::numeric_limits<int>::max())) throw outage{"a message is too large"};
    natsMsg* made = nullptr;
    if (natsMsg_Create(&made, subject.c_str(), reply.empty() ? nullptr : reply.c_str(), body.data(),
                       static_cast<int>(body.size())) != NATS_OK) {
        throw outage{"no memory for a message"};
    }
    message_handle message{made};
    for (const envelope::header& each : head) {
        if (natsMsgHeader_Add(made, each.name.c_str(), each.value.c_str()) != NATS_OK) {
            throw outage{"no memory for the headers of a message"};
        }
    }
    return message;
}

}  // namespace

session::session(const server& to, const endpoint::host& at, const char* name) {
    const options_handle options = to.options_for(at, name);
    if (loop_.serve(options.get()) != NATS_OK) throw outage{"no memory for a connection"};
    natsConnection* made = nullptr;
    const natsStatus status = natsConnection_Connect(&made, options.get());
    if (status != NATS_OK) throw outage{fmt::format("nats {}: {}", to_string(at), reason_of(status))};
    connection_.reset(made);
    try {
        listen();
    } catch (...) {
        close();
        throw;
    }
}

session::~session() { close(); }

void session::close() noexcept {
    // The library would wait for what is still to be written; it is in doubt either way.
    loop_.hang_up();
    // Only now no call of the loop is about the connection.
    loop_.end();
    subscription_.reset();
    connection_.reset();
}

void session::listen() {
    natsInbox* made = nullptr;
    if (natsInbox_Create(&made) != NATS_OK) throw outage{"no memory for an inbox"};
    const inbox_handle inbox{made};
    inbox_ = std::string{made} + '.';
    auto to = std::make_unique<listener>(listener{.mail = mail_, .inbox = inbox_});
    natsSubscription* on = nullptr;
    natsStatus status = natsConnection_Subscribe(&on, connection_.get(), (inbox_ + '*').c_str(), take_in, to.get());
    subscription_.reset(on);
    // From here on the library says when the listener is not needed any more.
    if (status == NATS_OK) status = natsSubscription_SetOnCompleteCB(on, forget_listener, to.get());
    if (status == NATS_OK) static_cast<void>(to.release());
    if (status == NATS_OK) status = natsSubscription_SetPendingLimits(on, -1, -1);
    if (status != NATS_OK) throw outage{"nats inbox: " + reason_of(status)};
}

std::string session::address_of(std::string_view token) const { return std::string{inbox_}.append(token); }

std::size_t session::max_payload() const {
    return static_cast<std::size_t>(std::max<std::int64_t>(natsConnection_GetMaxPayload(connection_.get()), 0));
}

std::string session::complaint() const {
    const char* text = nullptr;
    static_cast<void>(natsConnection_GetLastError(connection_.get(), &text));
    constexpr std::size_t longest = 200;
    return text == nullptr ? "" : base::one_line(text, longest);
}

void session::expect_open() const {
    if (const auto why = closed()) throw outage{*why};
}

void session::send(const std::string& subject, std::string_view token, std::string_view body,
                   std::span<const envelope::header> head) {
    expect_open();
    const message_handle message = made_message(subject, token.empty() ? "" : address_of(token), body, head);
    const natsStatus status = natsConnection_PublishMsg(connection_.get(), message.get());
    if (status != NATS_OK) throw outage{"nats: " + reason_of(status)};
}

void session::post(const std::string& subject, std::string_view body) { send(subject, {}, body); }

void session::collect() {
    for (incoming& each : mail_->take()) kept_.push_back(std::move(each));
}

bool session::wait_for_several(std::size_t messages, duration patience, const net::deadline& until) {
    if (messages > 1 && kept_.empty()) {
        mail_->wake_at(messages);
        if (until.or_sooner(patience).wait_for(mail_->fd(), POLLIN)) return true;
        mail_->wake_at(1);
    }
    return wait(until);
}

std::optional<incoming> session::next() {
    if (kept_.empty()) collect();
    if (kept_.empty()) return std::nullopt;
    incoming first = std::move(kept_.front());
    kept_.pop_front();
    return first;
}

incoming session::call(const std::string& subject, std::string_view body, const net::deadline& until) {
    auto answer = call_with(subject, body, {}, until);
    if (answer.status == no_responders) throw outage{"nobody answers " + subject + "; is JetStream enabled?"};
    return answer;
}

incoming session::call_with(const std::string& subject, std::string_view body, std::span<const envelope::header> head,
                            const net::deadline& until) {
    const std::string token = fmt::format("c{}", ++last_call_);
    send(subject, token, body, head);
    for (std::size_t seen = 0;;) {
        collect();
        for (; seen < kept_.size(); ++seen) {
            if (kept_[seen].token != token) continue;
            incoming answer = std::move(kept_[seen]);
            kept_.erase(kept_.begin() + static_cast<std::ptrdiff_t>(seen));
            return answer;
        }
        expect_open();
        if (!until.wait_for(mail_->fd(), POLLIN)) {
            const std::string why = complaint();
            throw outage{"no answer to " + subject + " in time" + (why.empty() ? "" : " (" + why + ")")};
        }
    }
}

}  // namespace sluice::broker::nats
