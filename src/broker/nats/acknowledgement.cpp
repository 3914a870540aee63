#include "broker/nats/acknowledgement.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include <sluice/error.hpp>

namespace sluice::broker::nats {
namespace {

constexpr int nobody_listens = 503;
constexpr int too_many_requests = 429;

/// What says nothing about the message: the stream or the server is full, or JetStream is not (yet) able.
constexpr std::array outages{
    10002,  // resource limits exceeded for account
    10005,  // no suitable peers
    10008,  // temporarily unavailable
    10009,  // not the leader
    10023,  // insufficient resources
    10028,  // insufficient memory
    10039,  // not enabled for account
    10047,  // insufficient storage
    10053,  // stream limits exceeded
    10076,  // not enabled
    10077,  // storing failed: maximum messages or bytes, discard new; or the disk
    10118,  // stream is offline
    10122,  // maximum bytes of the stream
};

}  // namespace

std::string kept::receipt() const { return fmt::format("{}:{}", stream, sequence); }

verdict verdict_on(const api_error& error) {
    const std::string reason = fmt::format("JetStream: {} ({})", error.text, error.error_code);
    const std::string code = fmt::format("nats_{}", error.error_code != 0 ? error.error_code : error.code);
    if (error.error_code == error_codes::message_too_large) return refused{reason, "message_too_big", true};
    if (error.error_code == error_codes::other_stream_expected || error.error_code == error_codes::stream_sealed) {
        return refused{.reason = reason, .code = code, .stream_closed = true};
    }
    if (std::ranges::find(outages, error.error_code) != outages.end() || error.code == nobody_listens ||
        error.code == too_many_requests) {
        return unreachable{reason};
    }
    return refused{reason, code};
}

acknowledgement read_acknowledgement(const incoming& answer) {
    if (answer.status == nobody_listens) return nobody_took_it{};
    try {
        const api_answer said = read_answer(answer.data);
        if (const auto* error = std::get_if<api_error>(&said)) return verdict_on(*error);
        const json::value& ack = std::get<json::value>(said);
        const json::value* const duplicate = ack.find("duplicate");
        return kept{.stream = ack.at("stream").as_string(),
                    .sequence = static_cast<std::uint64_t>(ack.at("seq").as_int()),
                    .is_duplicate = duplicate != nullptr && duplicate->is_bool() && duplicate->as_bool()};
    } catch (const decode_error& strange) {
        // Whatever it was, it may have been kept.
        return verdict{unreachable{fmt::format("JetStream's acknowledgement cannot be read: {}", strange.what())}};
    } catch (const outage& strange) {
        return verdict{unreachable{strange.what()}};
    }
}

}  // namespace sluice::broker::nats
