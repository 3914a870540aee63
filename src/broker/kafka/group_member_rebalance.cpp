#include <algorithm>
#include <chrono>
#include <thread>
#include <utility>

#include "broker/kafka/group_member.hpp"
#include "broker/kafka/starting_place.hpp"
#include "observe/log.hpp"

// How a member takes partitions up and gives them back. All of it runs in the member's own thread.

namespace sluice::broker::kafka {
namespace {

constexpr std::chrono::seconds longest_wait_for_handlers{3};

std::vector<topic_partition> to_vector(const rd_kafka_topic_partition_list_t* list) {
    std::vector<topic_partition> all;
    all.reserve(static_cast<std::size_t>(list->cnt));
    for (int i = 0; i < list->cnt; ++i) all.push_back({list->elems[i].topic, list->elems[i].partition});
    return all;
}

void tell_of_start(const topic_partition& at, const std::string& group, const starting_place& from) {
    using reason = starting_place::reason;
    if (from.why == reason::goes_on || from.why == reason::begins) return;
    const bool removed = from.why == reason::removed;
    observe::log(
        observe::level::error, "kafka.place_lost",
        {{"topic", at.topic},
         {"partition", at.partition},
         {"group", group},
         {"offset", from.offset},
         {"reason", removed ? "messages that the group had not read were removed (retention)"
                            : "the log ends before the group's place: it was cut, or the topic was made anew"},
         {"remedy", removed ? "let the topic keep messages for longer than readers may be away"
                            : "nothing: everything that is there is read, and copies are known by their ids"}});
}

}  // namespace

void group_member::on_rebalance(rd_kafka_t* instance, rd_kafka_resp_err_t what, rd_kafka_topic_partition_list_t* which,
                                void* self) {
    auto* const of = static_cast<group_member*>(self);
    try {
        if (what == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS) return of->assign(which);
        return of->revoke(which);
    } catch (const std::exception& e) {
        // No exception may pass the library's frames.
        of->note_trouble(e.what());
        const error_handle ignored{what == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS
                                       ? rd_kafka_incremental_assign(instance, which)
                                       : rd_kafka_incremental_unassign(instance, which)};
    }
}

void group_member::assign(rd_kafka_topic_partition_list_t* which) {
    was_assigned_ = true;
    const auto of = to_vector(which);
    auto mine = find_places(of);
    for (int i = 0; i < which->cnt; ++i) {
        const share& each = mine.at(of[static_cast<std::size_t>(i)]);
        which->elems[i].offset = each.done ? each.done->next() : RD_KAFKA_OFFSET_STORED;
    }
    for (auto& [at, each] : mine) each.open_queue(client_->get(), at, messages_.fd());
    {
        const std::lock_guard lock{mutex_};
        for (auto& [at, each] : mine) each.is_leaving = must_leave_;
        shares_.merge(mine);
    }
    const error_handle error{rd_kafka_incremental_assign(client_->get(), which)};
    if (error != nullptr) note_trouble(words_of(rd_kafka_error_code(error.get()), rd_kafka_error_string(error.get())));
    observe::log(observe::level::debug, "kafka.assigned",
                 {{"group", who_.group}, {"consumer", who_.consumer}, {"partitions", which->cnt}});
}

/// Where to begin in each; the library is left to know it where the cluster does not tell us now.
shares group_member::find_places(const std::vector<topic_partition>& of) {
    shares made;
    for (const auto& each : of) {
        const auto stream = stream_of_topic_.find(each.topic);
        made[each].stream = stream == stream_of_topic_.end() ? 0 : stream->second;
    }
    std::vector<kept_place> known;
    try {
        known = committed_places(*client_, of, answer_deadline());
        std::vector<kept_place> former;
        if (known.size() < of.size() && !who_.former_group.empty()) {
            former = places_of_group(*client_, at_->options.prefix + who_.former_group, answer_deadline());
        }
        for (auto& [at, each] : made) {
            auto found = std::ranges::find(known, at, &kept_place::at);
            if (found == known.end()) {
                found = std::ranges::find(former, at, &kept_place::at);
                if (found == former.end()) {
                    each.done.emplace(first_wanted(at, ask_watermarks(*client_, at, answer_deadline())));
                    continue;
                }
            } else {
                each.committed_floor = found->offset;
            }
            const auto note = read_note(found->metadata, found->offset);
            each.done.emplace(found->offset, note ? note->done : std::vector<std::int64_t>{});
            each.committed_behind = note ? note->done.size() : 0;
        }
    } catch (const outage& e) {
        note_trouble(e.what());
    }
    return made;
}

std::int64_t group_member::first_wanted(const topic_partition& of, const watermarks& marks) {
    switch (who_.from.where()) {
        case start::kind::now:
            return marks.end;
        case start::kind::time:
            return first_since(*client_, of, who_.from.first(), answer_deadline());
        case start::kind::beginning:
            break;
    }
    return marks.low;
}

void group_member::revoke(rd_kafka_topic_partition_list_t* which) {
    const auto of = to_vector(which);
    const bool lost = rd_kafka_assignment_lost(client_->get()) != 0;
    bool in_a_hurry = ends_;
    {
        const std::lock_guard lock{mutex_};
        for (const auto& each : of) {
            const auto found = shares_.find(each);
            if (found == shares_.end()) continue;
            in_a_hurry = in_a_hurry || found->second.is_leaving;
            found->second.is_leaving = true;
        }
    }
    if (!lost) {
        if (!in_a_hurry) wait_for_handlers(of);
        commit_and_wait();
    }
    {
        const std::lock_guard lock{mutex_};
        for (const auto& each : of) {
            const auto found = shares_.find(each);
            if (found == shares_.end()) continue;
            found->second.close_queue();
            shares_.erase(found);
        }
    }
    const error_handle error{rd_kafka_incremental_unassign(client_->get(), which)};
    observe::log(observe::level::debug, "kafka.revoked",
                 {{"group", who_.group}, {"consumer", who_.consumer}, {"partitions", which->cnt}, {"lost", lost}});
}

/// What is in hand of these would be handled by another member, too.
void group_member::wait_for_handlers(const std::vector<topic_partition>& of) {
    constexpr std::chrono::milliseconds pause{10};
    const net::deadline until{longest_wait_for_handlers};
    const auto in_hand = [&] {
        const std::lock_guard lock{mutex_};
        return std::ranges::any_of(of, [&](const auto& each) {
            const auto found = shares_.find(each);
            return found != shares_.end() && found->second.done && found->second.done->in_hand() > 0;
        });
    };
    while (!thread_.get_stop_token().stop_requested() && in_hand() && !until.passed()) {
        std::this_thread::sleep_for(pause);
    }
}

/// The library found no such offset: decide where to go on, and say what was lost.
void group_member::find_lost_places() {
    std::vector<topic_partition> lost;
    {
        const std::lock_guard lock{mutex_};
        for (const auto& [at, each] : shares_) {
            if (each.has_lost_place && !each.is_leaving) lost.push_back(at);
        }
    }
    for (const auto& at : lost) {
        const auto marks = ask_watermarks(*client_, at, answer_deadline());
        const auto known = committed_places(*client_, {at}, answer_deadline());
        standing where{.low = marks.low, .end = marks.end};
        if (known.empty()) {
            where.first_wanted = first_wanted(at, marks);
        } else {
            where.committed = known.front().offset;
        }
        const auto from = choose_start(where);
        tell_of_start(at, who_.group, from);
        const partitions_handle one{rd_kafka_topic_partition_list_new(1)};
        rd_kafka_topic_partition_list_add(one.get(), at.topic.c_str(), at.partition)->offset = from.offset;
        const error_handle gone{rd_kafka_incremental_unassign(client_->get(), one.get())};
        {
            const std::lock_guard lock{mutex_};
            const auto found = shares_.find(at);
            if (found == shares_.end()) continue;
            found->second.has_lost_place = false;
            found->second.done.emplace(from.offset);
            found->second.committed_floor = -1;
            found->second.early.clear();
        }
        const error_handle back{rd_kafka_incremental_assign(client_->get(), one.get())};
        if (back != nullptr) throw outage{words_of(rd_kafka_error_code(back.get()), rd_kafka_error_string(back.get()))};
    }
}

}  // namespace sluice::broker::kafka
