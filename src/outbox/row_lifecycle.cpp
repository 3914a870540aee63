#include "outbox/row_lifecycle.hpp"

#include <limits>
#include <string>
#include <string_view>

#include <sluice/error.hpp>
#include <sluice/json.hpp>

#include "base/one_line.hpp"

namespace sluice::outbox {

namespace {

/// When the row was refused for the first time; kept across an operator's retry.
std::string first_failure(const std::string& last_error, date_time now) {
    if (!last_error.empty()) {
        try {
            if (auto first = json::parse(last_error).string_or("first_failed_at", ""); !first.empty()) return first;
        } catch (const decode_error&) {
            // Somebody else wrote it; history begins again.
        }
    }
    return now.to_string();
}

std::string describe(const broker::refused& refusal, const store::due_row& row, int attempts, date_time now,
                     std::string_view reason) {
    json::object error{{"class", refusal.permanent ? "refused_permanently" : "refused"},
                       {"message", base::one_line(refusal.reason)},
                       {"code", base::one_line(refusal.code, 100)},
                       {"first_failed_at", first_failure(row.last_error, now)},
                       {"last_failed_at", now.to_string()},
                       {"attempts", attempts}};
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
        return after_refusal(*refusal, row, now, random);
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

}  // namespace sluice::outbox
