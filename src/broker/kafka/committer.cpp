#include "broker/kafka/committer.hpp"

#include <utility>

#include "observe/log.hpp"

namespace sluice::broker::kafka {
namespace {

/// What is not committed comes again, to whoever has the partition then; the next commit says it once more.
void tell_of_uncommitted(const std::string& why) {
    observe::log(observe::level::debug, "kafka.not_committed", {{"reason", why}});
}

}  // namespace

void committer::commit(std::vector<kept_place> places) {
    constexpr std::chrono::seconds longest{30};
    queue_handle answers{rd_kafka_queue_new(by_.get())};
    const auto list = to_list(places);
    const auto error = rd_kafka_commit_queue(by_.get(), list.get(), answers.get(), nullptr, nullptr);
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR) return tell_of_uncommitted(words_of(error));
    answers_ = std::move(answers);
    places_ = std::move(places);
    until_.emplace(longest);
}

std::vector<kept_place> committer::kept() {
    if (answers_ == nullptr) return {};
    const event_handle answer{rd_kafka_queue_poll(answers_.get(), 0)};
    if (answer == nullptr && !until_->passed()) return {};
    answers_.reset();
    const auto error = answer == nullptr ? RD_KAFKA_RESP_ERR__TIMED_OUT : rd_kafka_event_error(answer.get());
    auto places = std::exchange(places_, {});
    if (error == RD_KAFKA_RESP_ERR_NO_ERROR) return places;
    tell_of_uncommitted(words_of(error));
    return {};
}

}  // namespace sluice::broker::kafka
