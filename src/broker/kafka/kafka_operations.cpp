#include "broker/kafka/kafka_operations.hpp"

#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "broker/group_is_taken.hpp"

namespace sluice::broker::kafka {
namespace {

using delete_group_handle = std::unique_ptr<rd_kafka_DeleteGroup_t, destroys<rd_kafka_DeleteGroup_destroy>>;
using delete_offsets_handle =
    std::unique_ptr<rd_kafka_DeleteConsumerGroupOffsets_t, destroys<rd_kafka_DeleteConsumerGroupOffsets_destroy>>;
using alter_offsets_handle =
    std::unique_ptr<rd_kafka_AlterConsumerGroupOffsets_t, destroys<rd_kafka_AlterConsumerGroupOffsets_destroy>>;

/// Of an action on one group. @throws outage why it was not done
void require_done(const rd_kafka_group_result_t* const* results, std::size_t count, std::string_view group) {
    if (count == 0) return;
    const rd_kafka_error_t* const error = rd_kafka_group_result_error(results[0]);
    if (error == nullptr) return;
    const auto code = rd_kafka_error_code(error);
    if (code == RD_KAFKA_RESP_ERR_GROUP_ID_NOT_FOUND) return;
    const std::string_view more = code == RD_KAFKA_RESP_ERR_NON_EMPTY_GROUP ? "; stop its consumers first" : "";
    throw outage{fmt::format("group {}: {}{}", group, words_of(code, rd_kafka_error_string(error)), more)};
}

template <class Places>
std::size_t count_streams(const Places& places) {
    std::set<std::string_view> streams;
    for (const auto& each : places) streams.insert(each.note.stream);
    return streams.size();
}

}  // namespace

template <class Action>
auto kafka_operations::named(Action action) {
    try {
        return action();
    } catch (const outage& trouble) {
        if (client_ == nullptr || client_->trouble().empty()) throw;
        throw outage{fmt::format("{} ({})", trouble.what(), client_->trouble())};
    }
}

const client& kafka_operations::link() {
    if (client_ == nullptr) {
        client_ = std::make_unique<client>(client::kind::producer, connection_properties(at_->options, at_->location));
    }
    // What nobody fetches would pile up.
    const queue_handle errors{rd_kafka_queue_get_main(client_->get())};
    while (const event_handle event{rd_kafka_queue_poll(errors.get(), 0)}) client_->note_error(event.get());
    return *client_;
}

std::vector<std::string> kafka_operations::group_names() {
    const client& by = link();
    const auto answer = ask(
        by, RD_KAFKA_ADMIN_OP_LISTCONSUMERGROUPS,
        [&](rd_kafka_AdminOptions_t* options, rd_kafka_queue_t* to) {
            rd_kafka_ListConsumerGroups(by.get(), options, to);
        },
        answer_deadline());
    std::size_t count = 0;
    const auto* const* const all =
        rd_kafka_ListConsumerGroups_result_valid(rd_kafka_event_ListConsumerGroups_result(answer.get()), &count);
    std::vector<std::string> names;
    for (std::size_t i = 0; i < count; ++i) {
        const std::string_view name = rd_kafka_ConsumerGroupListing_group_id(all[i]);
        if (name.starts_with(at_->options.prefix)) names.emplace_back(name.substr(at_->options.prefix.size()));
    }
    std::ranges::sort(names);
    return names;
}

std::vector<kafka_operations::noted_place> kafka_operations::places_of(std::string_view group) {
    std::vector<noted_place> found;
    const std::string name = at_->options.prefix + std::string{group};
    for (kept_place& each : places_of_group(link(), name, answer_deadline())) {
        if (auto note = read_note(each.metadata, each.offset)) found.push_back({std::move(each), *std::move(note)});
    }
    return found;
}

std::map<std::string, std::vector<kafka_operations::noted_place>> kafka_operations::all_places() {
    std::map<std::string, std::vector<noted_place>> all;
    for (std::string& name : group_names()) {
        if (auto places = places_of(name); !places.empty()) all.emplace(std::move(name), std::move(places));
    }
    return all;
}

std::vector<known_group> kafka_operations::known_groups() {
    return named([&] {
        std::vector<known_group> found;
        for (const auto& [group, places] : all_places()) {
            for (const noted_place& each : places) {
                known_group one{.stream = each.note.stream, .group = group, .domain = each.note.domain};
                if (std::ranges::find(found, one) == found.end()) found.push_back(std::move(one));
            }
        }
        return found;
    });
}

std::vector<group_status> kafka_operations::groups() {
    return named([&] {
        std::map<topic_partition, watermarks> known;
        std::vector<group_status> found;
        for (const auto& [group, places] : all_places()) {
            std::map<std::string, group_status> by_stream;
            for (const noted_place& each : places) {
                auto [marks, is_new] = known.try_emplace(each.at.at);
                if (is_new) marks->second = ask_watermarks(link(), each.at.at, answer_deadline());
                const auto& [low, end] = marks->second;
                group_status& of = by_stream[each.note.stream];
                of.stream = each.note.stream;
                of.group = group;
                of.domain = each.note.domain;
                of.length += end - low;
                const std::int64_t handed_out =
                    std::clamp(each.note.next, each.at.offset, std::max(end, each.at.offset));
                of.lag += std::max<std::int64_t>(end - std::max(handed_out, low), 0);
                of.pending += handed_out - each.at.offset - static_cast<std::int64_t>(each.note.done.size());
            }
            for (auto& [stream, status] : by_stream) found.push_back(std::move(status));
        }
        return found;
    });
}

void kafka_operations::delete_group(std::string_view group) {
    const client& by = link();
    const std::string name = at_->options.prefix + std::string{group};
    const delete_group_handle wish{rd_kafka_DeleteGroup_new(name.c_str())};
    std::array<rd_kafka_DeleteGroup_t*, 1> wishes{wish.get()};
    const auto answer = ask(
        by, RD_KAFKA_ADMIN_OP_DELETEGROUPS,
        [&](rd_kafka_AdminOptions_t* options, rd_kafka_queue_t* to) {
            rd_kafka_DeleteGroups(by.get(), wishes.data(), wishes.size(), options, to);
        },
        answer_deadline());
    std::size_t count = 0;
    const auto* const* const results =
        rd_kafka_DeleteGroups_result_groups(rd_kafka_event_DeleteGroups_result(answer.get()), &count);
    require_done(results, count, group);
}

void kafka_operations::forget_places(std::string_view group, const std::vector<noted_place>& places) {
    const client& by = link();
    const std::string name = at_->options.prefix + std::string{group};
    const partitions_handle list{rd_kafka_topic_partition_list_new(static_cast<int>(places.size()))};
    for (const noted_place& each : places) {
        rd_kafka_topic_partition_list_add(list.get(), each.at.at.topic.c_str(), each.at.at.partition);
    }
    const delete_offsets_handle wish{rd_kafka_DeleteConsumerGroupOffsets_new(name.c_str(), list.get())};
    std::array<rd_kafka_DeleteConsumerGroupOffsets_t*, 1> wishes{wish.get()};
    const auto answer = ask(
        by, RD_KAFKA_ADMIN_OP_DELETECONSUMERGROUPOFFSETS,
        [&](rd_kafka_AdminOptions_t* options, rd_kafka_queue_t* to) {
            rd_kafka_DeleteConsumerGroupOffsets(by.get(), wishes.data(), wishes.size(), options, to);
        },
        answer_deadline());
    std::size_t count = 0;
    const auto* const* const results = rd_kafka_DeleteConsumerGroupOffsets_result_groups(
        rd_kafka_event_DeleteConsumerGroupOffsets_result(answer.get()), &count);
    require_done(results, count, group);
}

std::size_t kafka_operations::rename_group(std::string_view from, std::string_view to) {
    return named([&]() -> std::size_t {
        const auto places = places_of(from);
        if (places.empty()) return 0;
        const auto taken = places_of(to);
        const auto is_copy = [&](const noted_place& each) {
            return std::ranges::any_of(places, [&](const noted_place& mine) {
                return mine.at.at == each.at.at && mine.at.offset == each.at.offset;
            });
        };
        // An interrupted call has written the places already.
        if (!std::ranges::all_of(taken, is_copy)) throw group_is_taken(to, taken.front().note.stream);

        const client& by = link();
        const std::string name = at_->options.prefix + std::string{to};
        std::vector<kept_place> kept;
        kept.reserve(places.size());
        for (const noted_place& each : places) kept.push_back(each.at);
        const auto list = to_list(kept);
        const alter_offsets_handle wish{rd_kafka_AlterConsumerGroupOffsets_new(name.c_str(), list.get())};
        std::array<rd_kafka_AlterConsumerGroupOffsets_t*, 1> wishes{wish.get()};
        const auto answer = ask(
            by, RD_KAFKA_ADMIN_OP_ALTERCONSUMERGROUPOFFSETS,
            [&](rd_kafka_AdminOptions_t* options, rd_kafka_queue_t* queue) {
                rd_kafka_AlterConsumerGroupOffsets(by.get(), wishes.data(), wishes.size(), options, queue);
            },
            answer_deadline());
        std::size_t count = 0;
        const auto* const* const results = rd_kafka_AlterConsumerGroupOffsets_result_groups(
            rd_kafka_event_AlterConsumerGroupOffsets_result(answer.get()), &count);
        require_done(results, count, to);
        delete_group(from);
        return count_streams(places);
    });
}

std::size_t kafka_operations::retire_group(std::string_view stream, std::string_view group) {
    return named([&]() -> std::size_t {
        auto places = places_of(group);
        const std::size_t all = places.size();
        std::erase_if(places, [&](const auto& each) { return !stream.empty() && each.note.stream != stream; });
        if (places.empty()) return 0;
        if (places.size() == all) {
            delete_group(group);
        } else {
            forget_places(group, places);
        }
        return count_streams(places);
    });
}

}  // namespace sluice::broker::kafka
