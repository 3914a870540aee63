#pragma once

#include <optional>
#include <string>

#include <sluice/metadata.hpp>

namespace sluice {
class context;
}

namespace sluice::detail {

/// Where a recorded event or command comes from; part of its metadata.
struct provenance {
    const context& in;
    const std::string& correlation_id;
    const std::string& causation_id;
    const std::optional<trace_parent>& traceparent;
    int priority;
    /// Of an event: that of the command that raised it. Of a command: the stream of the event that it answers.
    const std::optional<std::string>& origin_stream;
};

}  // namespace sluice::detail
