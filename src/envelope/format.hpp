#pragma once

#include <cstddef>
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
    /// No body that `render` makes of texts of these sizes is larger; cheap, and as near as that allows.
    /// @param data, metadata  bytes; of metadata as encode_metadata writes it
    [[nodiscard]] virtual std::size_t most_bytes(std::size_t data, std::size_t metadata) const noexcept = 0;
    /// @param head  what stood beside the body, where the broker carries that
    /// @throws decode_error  the body is no message
    [[nodiscard]] virtual message read(std::string_view body, const header_list& head) const = 0;
};

/// The whole envelope, for the internal broker of a context.
[[nodiscard]] std::shared_ptr<const format> internal_format();

/// What leaves to a partner, without what is internal; with one more message for each older version that the event is
/// published in, too.
[[nodiscard]] std::shared_ptr<const format> external_format(partner_terms terms = {});

}  // namespace sluice::envelope
