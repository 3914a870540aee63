#include "broker/kafka/delivery_reports.hpp"

#include "broker/kafka/record.hpp"

namespace sluice::broker::kafka {

void delivery_reports::collect_from(rd_kafka_conf_t* conf) {
    rd_kafka_conf_set_opaque(conf, this);
    rd_kafka_conf_set_dr_msg_cb(conf, note_report);
    rd_kafka_conf_set_error_cb(conf, note_error);
}

std::vector<report> delivery_reports::flush(client& by, wait_for what, const net::deadline& until) {
    const int wait_ms = std::min(until.poll_milliseconds(), static_cast<int>(longest_nap.count()));
    interrupts_ = what == wait_for::first;
    const bool nothing_left = rd_kafka_flush(by.get(), wait_ms) == RD_KAFKA_RESP_ERR_NO_ERROR;
    interrupts_ = false;
    // Nobody shall wait without a pause, and what came with the first report shall come along.
    rd_kafka_poll(by.get(), nothing_left && reports_.empty() ? wait_ms : 0);
    return take(by);
}

std::vector<report> delivery_reports::read(client& by) {
    rd_kafka_poll(by.get(), 0);
    return take(by);
}

std::vector<report> delivery_reports::take(client& by) {
    for (const auto& [code, text] : std::exchange(errors_, {})) by.note_error(code, text);
    return std::exchange(reports_, {});
}

void delivery_reports::note_report(rd_kafka_t* instance, const rd_kafka_message_t* message, void* self) {
    auto& to = *static_cast<delivery_reports*>(self);
    to.reports_.push_back({.ticket = ticket_of(*message),
                           .code = message->err,
                           .partition = message->partition,
                           .offset = message->offset});
    if (std::exchange(to.interrupts_, false)) rd_kafka_yield(instance);
}

void delivery_reports::note_error(rd_kafka_t* /*instance*/, int code, const char* text, void* self) {
    static_cast<delivery_reports*>(self)->errors_.emplace_back(static_cast<rd_kafka_resp_err_t>(code),
                                                               text == nullptr ? "" : text);
}

}  // namespace sluice::broker::kafka
