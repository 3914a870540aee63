#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <sluice/json.hpp>
#include <sluice/metadata.hpp>

namespace sluice {

/// The type of a message, `Shop.OrderShipped.v1`, taken apart.
///
/// Thread safety: immutable; const members may be called concurrently. Lifetime: the parts are views into it.
class message_type {
public:
    explicit message_type(std::string text);

    [[nodiscard]] const std::string& text() const noexcept { return text_; }
    /// `Shop` of `Shop.OrderShipped.v1`; empty when there is none.
    [[nodiscard]] std::string_view domain() const noexcept;
    /// `OrderShipped` of `Shop.OrderShipped.v1`.
    [[nodiscard]] std::string_view name() const noexcept;
    /// 1 when the text names none.
    [[nodiscard]] int version() const noexcept { return version_; }
    /// True when the event's own name is exactly this one: `OrderShippedLate` is not `OrderShipped`.
    [[nodiscard]] bool names(std::string_view event) const noexcept { return name() == event; }

private:
    std::string text_;
    std::size_t name_begin_ = 0;
    std::size_t name_size_ = 0;
    int version_ = 1;
};

/// A message as a subscriber sees it: read tolerantly, from any producer that speaks the wire format
/// (docs/wire-format.md).
///
/// Unknown keys are kept in `raw()` and otherwise ignored; missing ones are empty.
///
/// Thread safety: immutable; const members may be called concurrently. Copies share one body.
class message {
public:
    /// @param body  the JSON object as it came from the broker: a message of the wire format, or a CloudEvent in
    ///   structured form
    /// @throws decode_error when it is not a JSON object with an object under `data`, or its checksum is wrong
    [[nodiscard]] static message decode(std::string_view body);
    /// @param event  a CloudEvent in structured form
    /// @throws decode_error when it is none, or has no object under `data`
    [[nodiscard]] static message from_cloud_event(json::value event);

    /// The same message with another payload, such as that of a later version. Type, metadata and `raw()` stay those of
    /// the message as it was received.
    [[nodiscard]] message with_data(json::value data) const;

    [[nodiscard]] const std::string& id() const noexcept;
    [[nodiscard]] const message_type& type() const noexcept;
    [[nodiscard]] const json::value& data() const noexcept;
    [[nodiscard]] const message_metadata& metadata() const noexcept;
    /// From `metadata.domain.correlation_id`, else `metadata.correlation_id`, else `correlation_id`; blank is skipped.
    [[nodiscard]] const std::optional<std::string>& correlation_id() const noexcept;
    /// The whole message as read.
    [[nodiscard]] const json::value& raw() const noexcept;

private:
    struct content;
    explicit message(std::shared_ptr<const content> parts) : content_{std::move(parts)} {}

    std::shared_ptr<const content> content_;
    std::shared_ptr<const json::value> data_;  ///< in place of the content's, if there is one
};

}  // namespace sluice
