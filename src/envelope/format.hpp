#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <sluice/message.hpp>

#include "envelope/envelope.hpp"
#include "envelope/header.hpp"

namespace sluice::envelope {

/// The form in which messages are exchanged with one broker: what leaves of a stored event, and what a received message
/// says.
///
/// Thread safety: immutable.
class format {
public:
    virtual ~format() = default;

    /// All messages of one event for the broker: the event itself first.
    /// @param data, metadata  the texts as stored in the event log
    /// @throws decode_error  the metadata cannot be read
    [[nodiscard]] virtual std::vector<rendered_message> render(std::string_view data,
                                                               std::string_view metadata) const = 0;
    /// @param head  what stood beside the body, where the broker carries that
    /// @throws decode_error  the body is no message
    [[nodiscard]] virtual message read(std::string_view body, const header_list& head) const = 0;
};

/// The whole envelope, for the internal broker of a context.
[[nodiscard]] std::shared_ptr<const format> internal_format();

/// The envelope without what is internal, for partners; with one more message for each older version that the event is
/// published in, too.
/// @param allowed  the extensions that may leave
[[nodiscard]] std::shared_ptr<const format> external_format(extension_list allowed = {});

}  // namespace sluice::envelope
