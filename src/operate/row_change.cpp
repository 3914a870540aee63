#include "operate/row_change.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <utility>

#include <sluice/error.hpp>

#include "base/one_line.hpp"
#include "config/section.hpp"
#include "operate/json_forms.hpp"
#include "operate/orphan_rows.hpp"
#include "operate/request_error.hpp"

namespace sluice::operate {

namespace {

using store::outbox_filter;
using store::row_status;

constexpr std::size_t rows_per_write = 1000;

std::vector<row_status> statuses_of(row_action what) {
    if (what == row_action::retry) return {row_status::failed, row_status::abandoned};
    return {row_status::pending, row_status::processing, row_status::failed};
}

/// The filters for the statuses that are asked for, one each.
std::vector<outbox_filter> filters_of(row_action what, const outbox_filter& asked) {
    const std::vector<row_status> statuses = statuses_of(what);
    std::vector<outbox_filter> filters;
    for (const row_status status : statuses) {
        if (asked.status && *asked.status != status) continue;
        filters.push_back(asked);
        filters.back().status = status;
    }
    if (!filters.empty()) return filters;
    std::vector<std::string> words;
    words.reserve(statuses.size());
    for (const row_status status : statuses) words.emplace_back(store::to_string(status));
    throw wrong_request(fmt::format("`outbox {}` is about rows that are {}, not {}", to_string(what),
                                    fmt::join(words, ", "), store::to_string(*asked.status)));
}

std::size_t count_matching(const open_database& database, std::vector<outbox_filter> filters) {
    std::size_t count = 0;
    for (outbox_filter& filter : filters) {
        filter.limit = row_change::most_counted + 1;
        count += database.session->list(filter).size();
    }
    return count;
}

void require_retired(const installation& with, const std::string& broker) {
    if (is_target(with.configuration.outbox, broker)) {
        throw conflict("still_configured",
                       fmt::format("broker `{0}` is served by the outbox of {1}; remove it there first, or use `sluice "
                                   "outbox discard --broker {0}`",
                                   broker, with.configuration.file));
    }
    std::vector<std::string> known;
    for (const open_database& database : open_all(with.parts)) {
        for (const auto& [name, counts] : database.session->outbox_summary()) known.push_back(name);
    }
    if (std::find(known.begin(), known.end(), broker) == known.end()) {
        throw not_found(fmt::format("no row was ever written for a broker `{}`; {}", broker,
                                    config::did_you_mean(broker, known, "there are rows for")));
    }
}

}  // namespace

const char* to_string(row_action what) noexcept {
    switch (what) {
        case row_action::retry:
            return "retry";
        case row_action::discard:
            return "discard";
        case row_action::retire:
            break;
    }
    return "retire";
}

row_change::row_change(const installation& with, row_action what, outbox_filter asked, const std::string& reason)
    : with_{with},
      what_{what},
      reason_{reason.empty() ? "discarded by an operator" : base::one_line(reason)},
      filters_{filters_of(what, asked)} {
    if (what == row_action::retire) require_retired(with, asked.target_broker);
    open_databases();
    if (count_ == 0 && !asked.message_id.empty()) {
        throw not_found(fmt::format("message `{}` has no row to {}; see `sluice outbox show {}`", asked.message_id,
                                    to_string(what), asked.message_id));
    }
}

void row_change::open_databases() {
    for (const auto& [name, database] : with_.parts.databases) {
        try {
            open_database opened{name, database->open_operations()};
            count_ += count_matching(opened, filters_);
            databases_.push_back(std::move(opened));
        } catch (const store_error& e) {
            if (with_.parts.databases.size() == 1) throw;
            away_.push_back({.database = name, .reason = e.what()});
        }
    }
}

rows_outcome row_change::apply() {
    rows_outcome outcome;
    for (const open_database& database : databases_) {
        try {
            if (what_ == row_action::retire) cancel_backfill(database.name);
            if (count_ > 0) apply_to(database, outcome);
        } catch (const store_error& e) {
            outcome.left.push_back({.database = database.name, .reason = e.what()});
        }
    }
    outcome.left.insert(outcome.left.end(), away_.begin(), away_.end());
    return outcome;
}

/// Else it would go on if the broker came back.
void row_change::cancel_backfill(const std::string& database) const {
    static_cast<void>(with_.parts.databases.at(database)->open_backfills()->change(
        filters_.front().target_broker, store::backfill_state::cancelled, std::nullopt, system_clock().now()));
}

void row_change::apply_to(const open_database& database, rows_outcome& outcome) const {
    const auto brokers = database.session->brokers();
    for (const outbox_filter& filter : filters_) {
        for (const auto& broker : brokers) {
            if (!filter.target_broker.empty() && broker != filter.target_broker) continue;
            outbox_filter of_broker = filter;
            of_broker.target_broker = broker;
            // A new budget makes sense only for rows whose broker the outbox serves.
            if (what_ != row_action::retry || is_target(with_.configuration.outbox, broker)) {
                apply_to_broker(database, of_broker, outcome.changed);
                continue;
            }
            of_broker.limit = most_counted + 1;
            const std::size_t count = database.session->list(of_broker).size();
            if (count == 0) continue;
            outcome.left.push_back({database.name, broker, count,
                                    fmt::format("no lane serves this broker; name it in the outbox again, or use "
                                                "`sluice outbox retire {}`",
                                                broker)});
        }
    }
}

/// Goes up through the log once, so that it ends, however many match anew while the work goes on.
void row_change::apply_to_broker(const open_database& database, outbox_filter filter, std::size_t& changed) const {
    filter.oldest_first = true;
    filter.limit = rows_per_write;
    const auto end = last_number(*database.session);
    const auto last = std::min(filter.upto.value_or(end), end);
    for (;;) {
        filter.upto = last;
        const auto rows = database.session->list(filter);
        if (rows.empty()) return;
        filter.upto = rows.back().seq;
        changed += run(*database.session, filter);
        filter.after = rows.back().seq;
    }
}

std::size_t row_change::run(store::operations_session& session, const outbox_filter& filter) const {
    switch (what_) {
        case row_action::retry:
            return session.retry(filter);
        case row_action::discard:
            return session.discard(filter, reason_, system_clock().now());
        case row_action::retire:
            break;
    }
    return session.discard(filter, "the broker was retired", system_clock().now());
}

json::value to_json(const rows_outcome& outcome) {
    json::array left;
    for (const left_rows& each : outcome.left) {
        left.push_back(json::object{{"database", each.database},
                                    {"broker", text_or_null(each.broker)},
                                    {"count", each.broker.empty() ? json::value{nullptr} : json::value{each.count}},
                                    {"reason", each.reason}});
    }
    return json::object{{"changed", outcome.changed}, {"left", std::move(left)}};
}

}  // namespace sluice::operate
