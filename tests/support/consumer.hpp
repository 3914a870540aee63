#pragma once

#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "broker/broker.hpp"

namespace sluice::testing {

/// A reader of one stream, with the keeper of its broker.
class consumer {
public:
    explicit consumer(std::unique_ptr<broker::reader> of) : reader_{std::move(of)} {}

    [[nodiscard]] std::vector<broker::delivery> read(std::size_t limit, date_time now) {
        auto found = reader_->read(0, limit, now);
        for (const broker::delivery& each : found) handed_out_[each.entry] = each;
        return found;
    }
    [[nodiscard]] base::wake_reason wait(base::wake_signal& signal, duration timeout) {
        return reader_->wait(signal, timeout);
    }
    void heartbeat(date_time now) { reader_->heartbeat(now); }
    void release() { reader_->release(); }
    void ack(std::span<const std::string> entries) { reader_->ack(0, entries); }
    void defer(std::string_view entry, int attempts, date_time not_before) {
        broker::delivery message = handed_out_[std::string{entry}];
        message.entry = entry;
        reader_->own_keeper()->defer(0, message, attempts, not_before);
    }
    void dead_letter(const broker::delivery& message, const broker::death& why) {
        reader_->own_keeper()->dead_letter(0, message, why);
    }

private:
    std::unique_ptr<broker::reader> reader_;
    std::map<std::string, broker::delivery> handed_out_;
};

[[nodiscard]] inline std::unique_ptr<consumer> open_consumer(broker::broker& on, const std::string& stream,
                                                             const broker::membership& member) {
    return std::make_unique<consumer>(on.open_reader({stream}, member));
}

}  // namespace sluice::testing
