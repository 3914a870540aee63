#include "broker/rabbitmq/connection.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>
#include <poll.h>

#include <sluice/version.hpp>

#include "broker/rabbitmq/close_reason.hpp"

namespace sluice::broker::rabbitmq {
namespace {

constexpr std::size_t read_size = 65'536;
/// As much is read without having been taken as frames; then the peer waits.
constexpr std::size_t most_unread = std::size_t{4} << 20;

[[nodiscard]] amqp_table_entry_t entry(std::string_view key, std::string_view text) noexcept {
    return {.key = bytes_of(key), .value = {.kind = AMQP_FIELD_KIND_UTF8, .value = {.bytes = bytes_of(text)}}};
}
[[nodiscard]] amqp_table_entry_t entry(std::string_view key) noexcept {
    return {.key = bytes_of(key), .value = {.kind = AMQP_FIELD_KIND_BOOLEAN, .value = {.boolean = 1}}};
}
[[nodiscard]] amqp_table_entry_t entry(std::string_view key, const amqp_table_t& table) noexcept {
    return {.key = bytes_of(key), .value = {.kind = AMQP_FIELD_KIND_TABLE, .value = {.table = table}}};
}

/// The smaller one; 0 stands for no limit.
[[nodiscard]] std::uint32_t negotiated(std::uint32_t ours, std::uint32_t theirs) noexcept {
    return theirs == 0 ? ours : std::min(ours, theirs);
}

[[nodiscard]] std::string version_in(const amqp_table_t& properties) {
    for (int i = 0; i < properties.num_entries; ++i) {
        const auto& each = properties.entries[i];
        if (text_of(each.key) == "version" && each.value.kind == AMQP_FIELD_KIND_UTF8) {
            return shown_reason(text_of(each.value.value.bytes));
        }
    }
    return {};
}

}  // namespace

connection::connection(server& at, std::string_view role, const net::deadline& until)
    : at_{at}, stream_{at.dial(until)}, buffer_(read_size), heartbeat_{at.heartbeat()} {
    log_in(at.location(), role, until);
}

void connection::log_in(const endpoint& as, std::string_view role, const net::deadline& until) {
    static constexpr std::string_view protocol{"AMQP\x00\x00\x09\x01", 8};
    out_.append(protocol);
    server_version_ =
        version_in(expect(AMQP_CONNECTION_START_METHOD, until).as<amqp_connection_start_t>().server_properties);
    start_ok(as, role);
    tune(expect(AMQP_CONNECTION_TUNE_METHOD, until).as<amqp_connection_tune_t>());
    amqp_connection_open_t open{.virtual_host = bytes_of(as.vhost), .capabilities = {}, .insist = 0};
    append_method(out_, 0, AMQP_CONNECTION_OPEN_METHOD, &open);
    static_cast<void>(expect(AMQP_CONNECTION_OPEN_OK_METHOD, until));
    send(AMQP_CHANNEL_OPEN_METHOD, amqp_channel_open_t{});
    answer(AMQP_CHANNEL_OPEN_OK_METHOD, until);
}

void connection::start_ok(const endpoint& as, std::string_view role) {
    // Without these the server tells neither of alarms nor of consumers that it has cancelled.
    std::array able{entry("publisher_confirms"), entry("basic.nack"), entry("consumer_cancel_notify"),
                    entry("connection.blocked"), entry("authentication_failure_close")};
    const amqp_table_t capabilities{.num_entries = able.size(), .entries = able.data()};
    std::array about{entry("product", "Sluice"), entry("version", SLUICE_VERSION), entry("connection_name", role),
                     entry("capabilities", capabilities)};
    const std::string login = fmt::format("{0}{1}{0}{2}", '\0', as.user, as.password);
    amqp_connection_start_ok_t fields{.client_properties = {.num_entries = about.size(), .entries = about.data()},
                                      .mechanism = bytes_of("PLAIN"),
                                      .response = bytes_of(login),
                                      .locale = bytes_of("en_US")};
    append_method(out_, 0, AMQP_CONNECTION_START_OK_METHOD, &fields);
}

void connection::tune(const amqp_connection_tune_t& offered) {
    constexpr std::uint32_t least_frame = 4'096;
    const auto frame_size = negotiated(largest_frame, offered.frame_max);
    if (frame_size < least_frame) throw outage{"the server's frame_max is below 4096"};
    frame_max_ = frame_size;
    amqp_connection_tune_ok_t fields{.channel_max = 1,
                                     .frame_max = frame_size,
                                     .heartbeat = static_cast<std::uint16_t>(at_.options().heartbeat_seconds)};
    append_method(out_, 0, AMQP_CONNECTION_TUNE_OK_METHOD, &fields);
}

method connection::expect(amqp_method_number_t number, const net::deadline& until) {
    for (;;) {
        if (const auto got = reader_.next()) {
            if (got->type == AMQP_FRAME_HEARTBEAT) continue;
            const auto what = read_control(*got);
            if (what.number == number) return what;
            throw outage{fmt::format("the server answers {} during the login", amqp_method_name(what.number))};
        }
        if (!wait(until)) throw outage{"the server did not answer in time"};
    }
}

/// @throws outage  it is a good-bye
method connection::read_control(const frame& from) {
    if (from.type != AMQP_FRAME_METHOD) throw outage{"the server sends a message on channel 0"};
    control_pool_.recycle();
    control_payload_.assign(from.payload);
    const auto what = method::read(control_payload_, control_pool_);
    if (what.number != AMQP_CONNECTION_CLOSE_METHOD) return what;
    amqp_connection_close_ok_t fields{};
    append_method(out_, 0, AMQP_CONNECTION_CLOSE_OK_METHOD, &fields);
    try {
        flush();
    } catch (const outage&) {
        // It has hung up without waiting for that.
    }
    const auto& why = what.as<amqp_connection_close_t>();
    throw outage{shown_reason(text_of(why.reply_text))};
}

void connection::on_control(const frame& from) {
    const auto what = read_control(from);
    switch (what.number) {
        case AMQP_CONNECTION_BLOCKED_METHOD:
            blocked_by_ = fmt::format("the server blocks publishers: {}",
                                      shown_reason(text_of(what.as<amqp_connection_blocked_t>().reason)));
            break;
        case AMQP_CONNECTION_UNBLOCKED_METHOD:
            blocked_by_.clear();
            break;
        case AMQP_CONNECTION_CLOSE_OK_METHOD:
            closed_ = true;
            break;
        default:
            throw outage{"the server says something on channel 0 that is not expected"};
    }
}

event* connection::next() {
    while (const auto got = reader_.next()) {
        if (got->type == AMQP_FRAME_HEARTBEAT) continue;
        if (got->channel == 0) {
            on_control(*got);
            continue;
        }
        if (got->channel != only_channel) throw outage{"the server uses a channel that is not open"};
        if (!content_.take(*got)) continue;
        event& complete = content_.current();
        if (complete.is(AMQP_CHANNEL_CLOSE_METHOD)) {
            const auto& why = complete.what.as<amqp_channel_close_t>();
            throw channel_closed{why.reply_code, shown_reason(text_of(why.reply_text))};
        }
        return &complete;
    }
    return nullptr;
}

void connection::publish(amqp_basic_publish_t& what, std::string_view header, std::string_view body) {
    append_method(out_, only_channel, AMQP_BASIC_PUBLISH_METHOD, &what);
    append_content(out_, only_channel, header, body, frame_max_);
}

void connection::flush() {
    write_wants_ = 0;
    while (sent_ < out_.size()) {
        const auto taken = stream_->write(std::string_view{out_}.substr(sent_));
        if (taken == 0) {
            write_wants_ = stream_->wanted();
            break;
        }
        sent_ += taken;
        last_sent_ = clock::now();
    }
    if (sent_ > out_.size() / 2) {
        out_.erase(0, sent_);
        sent_ = 0;
    }
}

bool connection::receive() {
    bool any = false;
    while (reader_.waiting() < most_unread) {
        const auto got = stream_->read(buffer_);
        if (got == 0) break;
        any = true;
        reader_.feed({buffer_.data(), got});
        last_received_ = clock::now();
    }
    return any;
}

bool connection::pump() {
    const bool any = receive();
    beat();
    flush();
    return any;
}

void connection::pulse() {
    static_cast<void>(receive());
    if (!out_.empty()) return;
    beat();
    flush();
}

void connection::beat() {
    if (heartbeat_ <= duration{0}) return;
    const auto now = clock::now();
    if (reader_.waiting() < most_unread && now - last_received_ > 2 * heartbeat_) {
        throw outage{"the server says nothing any more (missed heartbeats)"};
    }
    if (out_.empty() && now - last_sent_ > heartbeat_ / 3) append_heartbeat(out_);
}

short connection::wanted() const noexcept {
    return static_cast<short>(POLLIN | (sent_ < out_.size() ? (write_wants_ == 0 ? POLLOUT : write_wants_) : 0));
}

bool connection::wait(const net::deadline& until) {
    if (pump()) return !until.passed();
    const bool ready = until.or_sooner(longest_sleep()).wait_for(stream_->fd(), wanted());
    if (!ready && until.passed()) return false;
    static_cast<void>(pump());
    return true;
}

void connection::close(const net::deadline& until) noexcept {
    try {
        // The end of the connection passes what its channel has not worked through; the end of the channel does not.
        send(AMQP_CHANNEL_CLOSE_METHOD,
             amqp_channel_close_t{
                 .reply_code = AMQP_REPLY_SUCCESS, .reply_text = bytes_of("good-bye"), .class_id = 0, .method_id = 0});
        answer(AMQP_CHANNEL_CLOSE_OK_METHOD, until);
        amqp_connection_close_t fields{
            .reply_code = AMQP_REPLY_SUCCESS, .reply_text = bytes_of("good-bye"), .class_id = 0, .method_id = 0};
        append_method(out_, 0, AMQP_CONNECTION_CLOSE_METHOD, &fields);
        while (!closed_) {
            if (next() != nullptr || closed_) continue;
            if (!wait(until)) return;
        }
    } catch (const std::exception&) {
        return;  // it is gone already
    }
}

}  // namespace sluice::broker::rabbitmq
