#include "outbox/row_lifecycle.hpp"

#include <limits>
#include <string>
#include <string_view>

#include <sluice/error.hpp>
#include <sluice/json.hpp>

#include "base/one_line.hpp"

namespace sluice::outbox {

namespace {

constexpr const char* closed_class = "stream_closed";
constexpr const char* closed_since_name = "closed_since";

/// Empty where it is missing, or somebody else wrote the error.
std::string text_in(const std::string& last_error, const char* name) {
    if (last_error.empty()) return {};
    try {
        return json::parse(last_error).string_or(name, "");
    } catch (const decode_error&) {
        return {};
    }
}

/// When the row was refused for the first time; kept across an operator's retry.
std::string first_failure(const std::string& last_error, date_time now) {
    auto first = text_in(last_error, "first_failed_at");
    return first.empty() ? now.to_string() : first;
}

/// Since when the row finds its stream closed. Another kind of refusal, or an operator's retry, begins this anew.
date_time closed_since(const store::due_row& row, date_time now) {
    if (row.status != store::row_status::failed || text_in(row.last_error, "class") != closed_class) return now;
    try {
        return date_time::parse(text_in(row.last_error, closed_since_name));
    } catch (const error&) {
        return now;  // somebody else wrote it
    }
}

const char* class_of(const broker::refused& refusal) {
    if (refusal.stream_closed) return closed_class;
    return refusal.permanent ? "refused_permanently" : "refused";
}

std::string describe(const broker::refused& refusal, const store::due_row& row, int attempts, date_time now,
                     std::string_view reason, std::optional<date_time> closed = std::nullopt) {
    json::object error{{"class", class_of(refusal)},
                       {"message", base::one_line(refusal.reason)},
                       {"code", base::one_line(refusal.code, 100)},
                       {"first_failed_at", first_failure(row.last_error, now)},
                       {"last_failed_at", now.to_string()},
                       {"attempts", attempts}};
    if (closed) error.append(closed_since_name, closed->to_string());
    if (!reason.empty()) error.append("reason", reason);
    return json::dump(error);
}

}  // namespace

std::optional<store::settlement> row_lifecycle::after(const broker::verdict& verdict, const store::due_row& row,
                                                      date_time now, base::random_source& random) const {
    if (const auto* const confirmed = std::get_if<broker::delivered>(&verdict)) {
        store::settlement outcome;
        outcome.seq = row.seq;
        outcome.status = store::row_status::published;
        outcome.retry_count = row.retry_count;
        outcome.published_at = now;
        outcome.receipt = confirmed->receipt;
        return outcome;
    }
    if (const auto* const refusal = std::get_if<broker::refused>(&verdict)) {
        return refusal->stream_closed ? while_closed(*refusal, row, now, random)
                                      : after_refusal(*refusal, row, now, random);
    }
    return std::nullopt;
}

store::settlement row_lifecycle::after_refusal(const broker::refused& refusal, const store::due_row& row, date_time now,
                                               base::random_source& random) const {
    store::settlement outcome;
    outcome.seq = row.seq;
    outcome.retry_count = row.retry_count < std::numeric_limits<int>::max() ? row.retry_count + 1 : row.retry_count;

    const auto delay = refusal.permanent ? std::nullopt : schedule_.delay_after(outcome.retry_count, random);
    if (delay) {
        outcome.status = store::row_status::failed;
        outcome.next_retry_at = now + *delay;
        outcome.last_error = describe(refusal, row, outcome.retry_count, now, "");
    } else {
        outcome.status = store::row_status::abandoned;
        outcome.abandoned_at = now;
        outcome.last_error = describe(refusal, row, outcome.retry_count, now,
                                      refusal.permanent ? "Permanently refused" : "Max retries exceeded");
    }
    return outcome;
}

store::settlement row_lifecycle::while_closed(const broker::refused& refusal, const store::due_row& row, date_time now,
                                              base::random_source& random) const {
    store::settlement outcome;
    outcome.seq = row.seq;
    outcome.retry_count = row.retry_count;
    const auto since = closed_since(row, now);
    if (const auto delay = schedule_.delay_while_closed(now - since, random)) {
        outcome.status = store::row_status::failed;
        outcome.next_retry_at = now + *delay;
        outcome.last_error = describe(refusal, row, row.retry_count, now, "", since);
    } else {
        outcome.status = store::row_status::abandoned;
        outcome.abandoned_at = now;
        outcome.last_error = describe(refusal, row, row.retry_count, now, "Stream closed for too long", since);
    }
    return outcome;
}

duration row_lifecycle::longest_wait(const store::due_row& row) const {
    const bool is_closed = text_in(row.last_error, "class") == closed_class;
    return is_closed ? schedule_.longest_delay() : schedule_.longest_delay(row.retry_count);
}

}  // namespace sluice::outbox
