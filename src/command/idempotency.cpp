#include "command/idempotency.hpp"

#include <utility>

#include "base/backoff.hpp"
#include "base/one_line.hpp"
#include "base/utf8.hpp"
#include "command/remembered_failure.hpp"
#include "commit/command_outcome.hpp"
#include "envelope/envelope.hpp"
#include "observe/log.hpp"

namespace sluice::command {

namespace {

constexpr std::size_t longest_key = 255;  // characters

bool is_key(std::string_view text) noexcept {
    constexpr char32_t first_printable = 0x20;
    constexpr char32_t del = 0x7F;
    std::size_t characters = 0;
    while (!text.empty()) {
        const base::utf8_sequence next = base::decode_utf8(text);
        if (!next.well_formed || next.code_point < first_printable || next.code_point == del) return false;
        if (++characters > longest_key) return false;
        text.remove_prefix(next.length);
    }
    return characters > 0;
}

std::string quoted(const keyed_command& request) { return "idempotency key `" + request.key + "`"; }

store::command_outcome outcome_of(const commit::environment& env, const keyed_command& request, bool succeeded,
                                  std::string content, duration retention) {
    return {.key = request.key,
            .command = request.command.type,
            .fingerprint = request.fingerprint,
            .succeeded = succeeded,
            .content = std::move(content),
            .expires_at = env.time().now() + retention};
}

const std::string& database_of(const commit::environment& env, const keyed_command& request) {
    return env.domain().aggregate(request.command.aggregate).database;
}

}  // namespace

void require_valid_key(std::string_view key) {
    if (is_key(key)) return;
    throw usage_error{"idempotency key `" + base::one_line(key) + "` is not 1 to " + std::to_string(longest_key) +
                      " characters without control characters; leave it out when the command needs none"};
}

keyed_command keyed(const detail::command_entry& command, std::string_view key, const envelope::payload& data) {
    require_valid_key(key);
    return {command, std::string{key}, data.checksum()};
}

store::command_outcome success_of(const commit::environment& env, const keyed_command& request, const void* result) {
    constexpr double seconds_per_hour = 3600;
    const double hours = env.configuration().commands.idempotency_retention_hours;
    return outcome_of(env, request, true, request.command.encode_result(result),
                      base::from_seconds(hours * seconds_per_hour));
}

std::optional<store::command_outcome> find_outcome(commit::environment& env, const keyed_command& request) {
    return commit::find_outcome(env, database_of(env, request), request.key);
}

std::shared_ptr<void> answer_again(const keyed_command& request, const store::command_outcome& earlier) {
    if (earlier.command != request.command.type) {
        throw usage_error{quoted(request) + " was used for a command of type " + earlier.command +
                          " and cannot be one of " + request.command.type + " too; give each request a key of its own"};
    }
    if (earlier.fingerprint != request.fingerprint) {
        throw usage_error{quoted(request) + " was used for " + request.command.name +
                          " with other data; give each request a key of its own"};
    }
    if (!earlier.succeeded) throw_failure(earlier.content);
    return request.command.decode_result(json::parse(earlier.content));
}

std::optional<store::command_outcome> remember_failure(commit::environment& env, const keyed_command& request,
                                                       const error& failure) {
    const duration retention = base::from_seconds(env.configuration().commands.failure_retention_seconds);
    try {
        if (retention > duration{0}) {
            store::commit_batch batch;
            batch.outcomes.push_back(outcome_of(env, request, false, encode_failure(failure), retention));
            batch.at = env.time().now();
            env.sessions(database_of(env, request)).borrow()->commit(batch);
            return std::nullopt;
        }
    } catch (const store::duplicate_outcome&) {  // NOLINT(bugprone-empty-catch): theirs is the answer
    } catch (const error& trouble) {
        observe::log(
            observe::level::warn, "command.failure_not_remembered",
            {{"command", request.command.name}, {"key", request.key}, {"reason", base::one_line(trouble.what())}});
        return std::nullopt;
    }
    return find_outcome(env, request);
}

}  // namespace sluice::command
