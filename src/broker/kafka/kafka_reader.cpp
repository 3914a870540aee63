#include "broker/kafka/kafka_reader.hpp"

#include <fmt/format.h>

#include <sluice/error.hpp>

#include "base/one_line.hpp"

namespace sluice::broker::kafka {

void kafka_reader::ack(std::size_t stream, std::span<const std::string> entries) {
    for (const std::string& each : entries) {
        const auto name = entry_name::parse(each);
        if (!name)
            throw usage_error{fmt::format("{} is no entry of Kafka (partition:offset)", base::one_line(each, 80))};
        member_.settle(stream, *name);
    }
}

}  // namespace sluice::broker::kafka
