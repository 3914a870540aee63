#pragma once

#include <cstdint>
#include <string>

#include <librdkafka/rdkafka.h>

#include "broker/verdict.hpp"

namespace sluice::broker::kafka {

/// What a failed message means for it and for the others. Pure.
enum class judgement {
    in_doubt,       ///< it may be there or not, and nobody will say: an outage
    batch_refused,  ///< the broker wants none of the batch that it was in; only alone it would be to blame
    topic_gone,     ///< the client knows no such topic; the broker must be asked whether that is so
    topic_closed,   ///< we may not write to the topic
};

[[nodiscard]] judgement judge(rd_kafka_resp_err_t code) noexcept;

/// The verdict of a message that the library reports as delivered, at this place. Without an offset the library only
/// concludes so, from a later message of the partition that the broker took: a broker that does not know the producer
/// yet takes that one, too, when it has refused the one before it. So such a message is in doubt.
[[nodiscard]] verdict confirmation(std::int32_t partition, std::int64_t offset);

/// The verdict of a message that was sent alone. @param words  the broker's
[[nodiscard]] refused refusal_alone(rd_kafka_resp_err_t code, std::string words);

/// The stable word of an error: `TOPIC_AUTHORIZATION_FAILED`.
[[nodiscard]] std::string code_word(rd_kafka_resp_err_t code);

}  // namespace sluice::broker::kafka
