#include "observe/messaging_span.hpp"

namespace sluice::observe {

void describe_operation(span& of, const messaging_operation& what) {
    if (!of.is_recording()) return;
    of.set_text("messaging.operation.name", what.name);
    of.set_text("messaging.operation.type", what.type);
    of.set_text("messaging.system", what.system);
    of.set_text("messaging.destination.name", what.destination);
    of.set_text("messaging.consumer.group.name", what.group);
}

void describe_message(span& of, const message_metadata& message) {
    if (!of.is_recording()) return;
    of.set_text("messaging.message.id", message.headers.id);
    of.set_text("messaging.message.conversation_id", message.domain.correlation_id.value_or(""));
    of.set_text("sluice.message.type", message.headers.type);
    of.set_text("sluice.message.stream", message.headers.stream);
}

}  // namespace sluice::observe
