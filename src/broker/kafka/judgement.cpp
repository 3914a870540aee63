#include "broker/kafka/judgement.hpp"

#include <utility>

namespace sluice::broker::kafka {

judgement judge(rd_kafka_resp_err_t code) noexcept {
    switch (code) {
        case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
        case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
        case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
            return judgement::topic_gone;
        case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
            return judgement::topic_closed;
        case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE:
        case RD_KAFKA_RESP_ERR_RECORD_LIST_TOO_LARGE:
        case RD_KAFKA_RESP_ERR_INVALID_MSG:
        case RD_KAFKA_RESP_ERR_INVALID_MSG_SIZE:
        case RD_KAFKA_RESP_ERR_INVALID_RECORD:
        case RD_KAFKA_RESP_ERR_INVALID_TIMESTAMP:
        case RD_KAFKA_RESP_ERR_POLICY_VIOLATION:
        case RD_KAFKA_RESP_ERR_UNSUPPORTED_FOR_MESSAGE_FORMAT:
        case RD_KAFKA_RESP_ERR_UNSUPPORTED_COMPRESSION_TYPE:
            return judgement::batch_refused;
        default:
            return judgement::in_doubt;
    }
}

verdict confirmation(std::int32_t partition, std::int64_t offset) {
    if (offset < 0) return unreachable{"the broker did not tell at which offset it keeps the message"};
    return delivered{std::to_string(partition) + ":" + std::to_string(offset)};
}

refused refusal_alone(rd_kafka_resp_err_t code, std::string words) {
    const bool too_big = code == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE || code == RD_KAFKA_RESP_ERR_INVALID_MSG_SIZE ||
                         code == RD_KAFKA_RESP_ERR_RECORD_LIST_TOO_LARGE;
    return {.reason = std::move(words),
            .code = too_big ? "message_too_big" : code_word(code),
            .permanent = too_big,
            .stream_closed = judge(code) == judgement::topic_closed};
}

std::string code_word(rd_kafka_resp_err_t code) { return rd_kafka_err2name(code); }

}  // namespace sluice::broker::kafka
