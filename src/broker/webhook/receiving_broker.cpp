#include "broker/webhook/receiving_broker.hpp"

#include <charconv>
#include <utility>

#include <fmt/format.h>

#include <sluice/error.hpp>

#include "base/one_line.hpp"
#include "broker/sqlite/sqlite_broker.hpp"
#include "broker/webhook/webhook_broker.hpp"

namespace sluice::broker::webhook {

listening_address read_listening_address(const std::string& text) {
    const auto refuse = [] {
        throw configuration_error{
            "webhook listen: expected an address of this machine and a port, \"127.0.0.1:8088\" or \"[::]:8088\""};
    };
    const auto colon = text.rfind(':');
    if (colon == std::string::npos || colon == 0) refuse();
    listening_address at{.host = text.substr(0, colon)};
    if (at.host.front() == '[' && at.host.back() == ']') {
        at.host = at.host.substr(1, at.host.size() - 2);
    } else if (at.host.find(':') != std::string::npos) {
        refuse();
    }
    const char* const end = text.data() + text.size();
    const auto [stopped, failure] = std::from_chars(text.data() + colon + 1, end, at.port);
    if (failure != std::errc{} || stopped != end || at.host.empty()) refuse();
    return at;
}

void read_streams::add(const std::vector<std::string>& streams) {
    const std::lock_guard lock{mutex_};
    known_.insert(streams.begin(), streams.end());
}

std::optional<turned_down> read_streams::objection_to(const std::string& stream) {
    const std::lock_guard lock{mutex_};
    if (known_.contains(stream)) return std::nullopt;
    look_again();
    if (known_.contains(stream)) return std::nullopt;
    constexpr auto youth = std::chrono::seconds{10};
    constexpr std::size_t shown = 100;
    if (steady::now() - begun_ < youth) return turned_down{503, "it has only just begun to listen"};
    return turned_down{404, fmt::format("nobody reads stream {} here", base::one_line(stream, shown))};
}

/// A sender who guesses names does not keep the file busy.
void read_streams::look_again() {
    if (steady::now() < next_look_) return;
    next_look_ = steady::now() + std::chrono::seconds{1};
    try {
        for (auto& each : groups_->known_groups()) known_.insert(std::move(each.stream));
    } catch (const broker_error&) {
        return;  // the file cannot be read now: what is known holds
    }
}

receiving_broker::receiving_broker(const webhook_options& options, signing_keys keys) {
    auto at = read_listening_address(options.listen);
    if (keys.empty()) {
        throw configuration_error{
            "webhook listen: there are no secrets, so anybody could post; give secrets = \"${VAR}\" with the secret "
            "that the sender signs with"};
    }
    if (options.inbox_file.empty()) {
        throw configuration_error{
            "webhook listen: inbox_file is missing; name the file that keeps what comes, for example \"inbox.db\""};
    }
    name_ = fmt::format("{} into {}", options.listen, options.inbox_file.native());
    store_ = make_sqlite_broker({.path = options.inbox_file,
                                 .max_message_bytes = options.max_message_bytes,
                                 .retention = options.retention,
                                 .look_only = options.look_only,
                                 .time = options.time});
    streams_ = std::make_shared<read_streams>(store_->open_operations());
    settings_ = {.host = std::move(at.host),
                 .port = at.port,
                 .lock_file = options.inbox_file.native() + "-listening",
                 .max_connections = options.listen_connections,
                 .max_message_bytes = options.max_message_bytes,
                 .time = options.time != nullptr ? options.time : &system_clock()};
    terms_ = {.keys = std::move(keys), .stream = options.stream, .objection_to = [of = streams_](const auto& stream) {
                  return of->objection_to(stream);
              }};
}

std::unique_ptr<reader> receiving_broker::open_reader(const std::vector<std::string>& streams,
                                                      const membership& member) {
    streams_->add(streams);
    {
        const std::lock_guard lock{mutex_};
        if (!receiver_) receiver_ = std::make_unique<receiver>(settings_, terms_, store_->open_publisher());
        if (auto trouble = receiver_->trouble(); !trouble.empty()) {
            throw broker_error{"webhook: " + trouble, error_nature::retryable};
        }
    }
    return store_->open_reader(streams, member);
}

std::uint16_t receiving_broker::port() const {
    const std::lock_guard lock{mutex_};
    return receiver_ ? receiver_->port() : std::uint16_t{0};
}

}  // namespace sluice::broker::webhook
