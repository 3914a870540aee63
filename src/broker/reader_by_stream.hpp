#pragma once

#include <cstddef>
#include <deque>
#include <span>
#include <string>
#include <vector>

#include "broker/reader.hpp"

namespace sluice::broker {

/// A reader that has one consumer for each stream, where the broker itself keeps what failed. What is left to the
/// adapter is the sleep over all of them.
///
/// @tparam Consumer  made from `at`, the stream and the membership; its members do for one stream what those of reader
///   and keeper do
template <class Consumer>
class reader_by_stream : public reader, public keeper {
public:
    template <class Place>
    reader_by_stream(const Place& at, const std::vector<std::string>& streams, const membership& member) {
        for (const std::string& stream : streams) consumers_.emplace_back(at, stream, member);
    }

    [[nodiscard]] std::vector<delivery> read(std::size_t stream, std::size_t limit, date_time now) override {
        return consumers_[stream].read(limit, now);
    }
    void heartbeat(date_time now) override {
        for (Consumer& each : consumers_) each.heartbeat(now);
    }
    void release() override {
        for (Consumer& each : consumers_) each.release();
    }
    void ack(std::size_t stream, std::span<const std::string> entries) override { consumers_[stream].ack(entries); }
    [[nodiscard]] keeper* own_keeper() noexcept override { return this; }

    void defer(std::size_t stream, const delivery& message, int attempts, date_time not_before) override {
        consumers_[stream].defer(message.entry, attempts, not_before);
    }
    void dead_letter(std::size_t stream, const delivery& message, const death& why) override {
        consumers_[stream].dead_letter(message, why);
    }

protected:
    [[nodiscard]] std::deque<Consumer>& consumers() noexcept { return consumers_; }

private:
    std::deque<Consumer> consumers_;  ///< in the order of the streams; a consumer stays where it was made
};

}  // namespace sluice::broker
