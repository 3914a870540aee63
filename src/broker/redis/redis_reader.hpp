#pragma once

#include <memory>
#include <string>
#include <vector>

#include "broker/reader_by_stream.hpp"
#include "broker/redis/bell.hpp"
#include "broker/redis/redis_consumer.hpp"

namespace sluice::broker::redis {

/// One consumer for each stream, each under the lease of its own stream, and one bell for all of them. Failed messages
/// are kept beside their stream (docs/wire-format.md).
class redis_reader final : public reader_by_stream<redis_consumer> {
public:
    redis_reader(const std::shared_ptr<server>& at, const std::vector<std::string>& streams, const membership& member)
        : reader_by_stream{at, streams, member}, claim_{member.claim}, bell_{at} {}

    [[nodiscard]] base::wake_reason wait(base::wake_signal& signal, duration timeout) override;

private:
    duration claim_;
    bell bell_;
};

}  // namespace sluice::broker::redis
