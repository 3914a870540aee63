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
    // Protean counts the facts of state-stored aggregates among the other events of their unit: `{version}.{n}`.
    std::uint64_t number = 0;
    bool whole = read.ptr == end;
    if (read.ec == std::errc{} && !whole && *read.ptr == '.') {
        const auto rest = std::from_chars(read.ptr + 1, end, number);
        whole = rest.ec == std::errc{} && rest.ptr == end;
    }
    if (read.ec != std::errc{} || !whole || version < 0) {
        throw decode_error{"fact `" + m.id() + "` has the sequence_id `" + sequence +
                           "`, which is no version of an aggregate"};
    }
    return version;
}

void set_version_of_fact(aggregate_root& state, std::int64_t version) { aggregate_access::set_version(state, version); }

}  // namespace sluice::detail
