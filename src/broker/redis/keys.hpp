#pragma once

#include <string>
#include <string_view>

/// The keys of ours beside the streams themselves (docs/wire-format.md, "Redis"). All begin with `sluice:`, for the
/// sake of access rules.
namespace sluice::broker::redis {

/// Hash: who publishes for this producer, and what went out last.
[[nodiscard]] inline std::string lane_key(std::string_view producer) { return "sluice:lane:" + std::string{producer}; }

/// Group first: a handler's name holds no @, a stream's may.
[[nodiscard]] inline std::string of_group(const char* what, std::string_view stream, std::string_view group) {
    return std::string{"sluice:"} + what + ":" + std::string{group} + "@" + std::string{stream};
}
/// Hash: which consumer reads, and until when it lives by the server's clock.
[[nodiscard]] inline std::string group_key(std::string_view stream, std::string_view group) {
    return of_group("group", stream, group);
}
/// Hash: entry -> failed attempts and when it is due again.
[[nodiscard]] inline std::string attempts_key(std::string_view stream, std::string_view group) {
    return of_group("attempts", stream, group);
}
/// Stream: dead letters on their way back to the one group that failed.
[[nodiscard]] inline std::string replay_key(std::string_view stream, std::string_view group) {
    return of_group("replay", stream, group);
}
/// Set: names under which consumers of ours read, until somebody else took over all that they left.
[[nodiscard]] inline std::string readers_key(std::string_view stream, std::string_view group) {
    return of_group("readers", stream, group);
}
/// String that expires: the name that two living processes have.
[[nodiscard]] inline std::string namesake_key(std::string_view stream, std::string_view group) {
    return of_group("namesake", stream, group);
}
/// Stream, shared by all groups.
[[nodiscard]] inline std::string dead_letter_key(std::string_view stream) { return std::string{stream} + ":dlq"; }
/// Hash: how many of a stream's dead letters are whose, and up to which entry they were counted.
[[nodiscard]] inline std::string tally_key(std::string_view stream) { return "sluice:dead:" + std::string{stream}; }
/// Set: the streams that a group of ours reads.
inline constexpr const char* streams_key = "sluice:streams";

/// The one field of an entry.
inline constexpr const char* data_field = "data";
/// Beside it in a replay stream: the entry's id in the stream it came from.
inline constexpr const char* original_field = "original";

}  // namespace sluice::broker::redis
