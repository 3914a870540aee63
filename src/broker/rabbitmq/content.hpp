#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "broker/rabbitmq/frame.hpp"

namespace sluice::broker::rabbitmq {

/// A method that came on the channel, with the message behind it where it carries one. All of it is valid until the
/// next one is read.
struct event {
    method what{};
    const amqp_basic_properties_t* properties = nullptr;  ///< null: it carries no message
    std::string body{};

    [[nodiscard]] bool is(amqp_method_number_t number) const noexcept { return what.number == number; }
};

/// Puts the frames of the channel together: basic.deliver, basic.return and basic.get-ok are followed by a header and
/// bodies.
///
/// Thread safety: used by one thread at a time.
class content_reader {
public:
    /// True when the frame completes an event. @throws outage  it is not the one that must follow
    [[nodiscard]] bool take(const frame& next);
    [[nodiscard]] event& current() noexcept { return current_; }

private:
    void take_method(const frame& next);
    void take_header(const frame& next);
    void take_body(const frame& next);

    enum class expecting : std::uint8_t { method, header, body };
    expecting state_ = expecting::method;
    decoding_pool pool_;
    std::string method_payload_;  ///< what the decoded texts refer to
    std::string header_payload_;
    std::uint64_t missing_ = 0;  ///< bytes of the body
    event current_;
};

}  // namespace sluice::broker::rabbitmq
