#include <sluice/fact.hpp>

#include <charconv>

#include <sluice/error.hpp>
#include <sluice/message.hpp>

#include "domain/aggregate_access.hpp"

namespace sluice::detail {

std::int64_t version_of_fact(const message& m) {
    const std::string sequence = m.metadata().domain.sequence_id.value_or("");
    std::int64_t version = -1;
    const char* const end = sequence.data() + sequence.size();
    const auto read = std::from_chars(sequence.data(), end, version);
    if (sequence.empty() || read.ec != std::errc{} || read.ptr != end || version < 0) {
        throw decode_error{"fact `" + m.id() + "` has the sequence_id `" + sequence +
                           "`, which is no version of an aggregate"};
    }
    return version;
}

void set_version_of_fact(aggregate_root& state, std::int64_t version) { aggregate_access::set_version(state, version); }

}  // namespace sluice::detail
