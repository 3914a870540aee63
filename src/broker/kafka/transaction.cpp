#include "broker/kafka/transaction.hpp"

#include <algorithm>

namespace sluice::broker::kafka {
namespace {

step_result judge_step(const rd_kafka_error_t* error) {
    if (error == nullptr) return {};
    const auto code = rd_kafka_error_code(error);
    step_result result{.outcome = step_outcome::broken, .words = words_of(code, rd_kafka_error_string(error))};
    const bool fenced = code == RD_KAFKA_RESP_ERR__FENCED || code == RD_KAFKA_RESP_ERR_PRODUCER_FENCED ||
                        code == RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH;
    if (fenced) {
        result.outcome = step_outcome::fenced;
    } else if (rd_kafka_error_is_fatal(error) != 0) {
        return result;
    } else if (rd_kafka_error_txn_requires_abort(error) != 0) {
        result.outcome = step_outcome::must_abort;
    } else if (rd_kafka_error_is_retriable(error) != 0 || code == RD_KAFKA_RESP_ERR__TIMED_OUT) {
        result.outcome = step_outcome::unfinished;
    }
    return result;
}

/// In short steps, so that somebody in a hurry does not wait: the library goes on with a step where it was.
template <class Step>
step_result repeat(const net::deadline& until, Step step) {
    constexpr int longest_step_ms = 200;
    constexpr int shortest_step_ms = 1;
    for (;;) {
        const error_handle error{step(std::clamp(until.poll_milliseconds(), shortest_step_ms, longest_step_ms))};
        auto result = judge_step(error.get());
        if (result.outcome != step_outcome::unfinished || until.passed()) return result;
    }
}

}  // namespace

step_result take_id(const client& by, const net::deadline& until) {
    return repeat(until, [&](int ms) { return rd_kafka_init_transactions(by.get(), ms); });
}

step_result begin_transaction(const client& by) {
    const error_handle error{rd_kafka_begin_transaction(by.get())};
    return judge_step(error.get());
}

step_result commit_transaction(const client& by, const net::deadline& until) {
    return repeat(until, [&](int ms) { return rd_kafka_commit_transaction(by.get(), ms); });
}

step_result abort_transaction(const client& by, const net::deadline& until) {
    return repeat(until, [&](int ms) { return rd_kafka_abort_transaction(by.get(), ms); });
}

}  // namespace sluice::broker::kafka
