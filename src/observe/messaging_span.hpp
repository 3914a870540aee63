#pragma once

#include <string_view>

#include <sluice/metadata.hpp>

#include "observe/span.hpp"

/// OpenTelemetry's semantic conventions for messaging.
namespace sluice::observe {

/// What is done with messages.
struct messaging_operation {
    std::string_view name;  ///< `publish`
    std::string_view type;  ///< `create`, `send`, `receive`, `process` or `settle`
    std::string_view system;
    std::string_view destination;
    std::string_view group{};  ///< of consumers
};

/// Sets `messaging.operation.…`, `messaging.system`, `messaging.destination.name` and `messaging.consumer.group.name`.
void describe_operation(span& of, const messaging_operation& what);

/// Sets what is known of the one message that the span is about.
void describe_message(span& of, const message_metadata& message);

}  // namespace sluice::observe
