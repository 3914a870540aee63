#include "broker/rabbitmq/confirms.hpp"

namespace sluice::broker::rabbitmq {

void confirms::sent(ticket number, std::string_view message_id, std::string_view routing_key) {
    const auto by_name = tags_.emplace(name{message_id, routing_key}, ++last_tag_);
    open_.emplace(last_tag_, entry{.number = number, .by_name = by_name});
}

std::vector<confirms::answer> confirms::settle(std::uint64_t tag, bool multiple) {
    std::vector<answer> answered;
    // Tag 0 with `multiple` means all.
    const auto begin = multiple ? open_.begin() : open_.find(tag);
    auto end = multiple ? (tag == 0 ? open_.end() : open_.upper_bound(tag)) : begin;
    if (!multiple && end != open_.end()) ++end;
    for (auto each = begin; each != end; ++each) {
        answered.push_back({.of = each->second.number, .tag = each->first, .is_returned = each->second.is_returned});
        tags_.erase(each->second.by_name);
    }
    open_.erase(begin, end);
    return answered;
}

void confirms::returned(std::string_view message_id, std::string_view routing_key) {
    const auto [begin, end] = tags_.equal_range(name{message_id, routing_key});
    for (auto each = begin; each != end; ++each) {
        entry& of = open_.at(each->second);
        if (of.is_returned) continue;
        of.is_returned = true;
        return;
    }
}

void confirms::clear() {
    last_tag_ = 0;
    open_.clear();
    tags_.clear();
}

}  // namespace sluice::broker::rabbitmq
