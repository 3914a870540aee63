#pragma once

#include <cstdlib>
#include <memory>

#include <nats/nats.h>

/// Objects of libnats that end with their owner.
namespace sluice::broker::nats {

struct ends_options {
    void operator()(natsOptions* which) const noexcept { natsOptions_Destroy(which); }
};
struct ends_message {
    void operator()(natsMsg* which) const noexcept { natsMsg_Destroy(which); }
};
struct ends_subscription {
    void operator()(natsSubscription* which) const noexcept { natsSubscription_Destroy(which); }
};
struct ends_inbox {
    void operator()(natsInbox* which) const noexcept { natsInbox_Destroy(which); }
};
/// Closes it first, which waits for the library's own threads.
struct ends_connection {
    void operator()(natsConnection* which) const noexcept { natsConnection_Destroy(which); }
};

/// Of texts that belong to the message they are of.
struct ends_array {
    void operator()(const char** which) const noexcept { std::free(which); }
};

using options_handle = std::unique_ptr<natsOptions, ends_options>;
using message_handle = std::unique_ptr<natsMsg, ends_message>;
using subscription_handle = std::unique_ptr<natsSubscription, ends_subscription>;
using inbox_handle = std::unique_ptr<natsInbox, ends_inbox>;
using connection_handle = std::unique_ptr<natsConnection, ends_connection>;
using array_handle = std::unique_ptr<const char*, ends_array>;

}  // namespace sluice::broker::nats
