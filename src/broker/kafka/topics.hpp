#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>

#include "broker/kafka/client.hpp"
#include "broker/kafka/handles.hpp"
#include "broker/kafka/topic_admin.hpp"
#include "broker/publisher.hpp"

namespace sluice::broker::kafka {

/// The topics that one producer writes to: it asks the broker for each once, before the first message goes there.
///
/// Thread safety: used by one thread at a time. It must not outlive the client.
class topics {
public:
    struct place {
        topic_handle topic{};
        std::size_t largest_message = 0;  ///< bytes with all around the body; 0: not known
        std::optional<refused> no{};      ///< why nothing can be sent there
    };

    explicit topics(const kafka_options& options) : options_{options} {}

    /// Finds out about those that are not known yet, or were not there; makes them where that is wanted.
    /// @throws outage  the broker did not answer
    void learn(const client& by, const std::set<std::string>& names, const net::deadline& until);
    /// The same of the topics of a batch.
    void learn_for(const client& by, std::span<const outgoing> batch, const net::deadline& until);
    /// Why a message cannot go there, as far as it can be told before it is sent.
    [[nodiscard]] static std::optional<refused> objection_to(const outgoing& message, const place& to);
    /// Null when `learn` was not called for it.
    [[nodiscard]] const place* find(std::string_view name) const;
    /// It may have gone, or is another one by now.
    void forget(std::string_view name);
    void forget_all() noexcept { known_.clear(); }

private:
    void note(const client& by, const std::string& name, std::size_t largest_message, const net::deadline& until);
    [[nodiscard]] described_topics create(const client& by, described_topics found, const net::deadline& until);

    const kafka_options& options_;
    std::map<std::string, place, std::less<>> known_;
};

}  // namespace sluice::broker::kafka
