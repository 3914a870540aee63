#include "store/memory/memory_data.hpp"

#include <algorithm>

#include "store/lane_name.hpp"

namespace sluice::store::memory {

std::map<std::string, stored_row, std::less<>>* memory_data::rows_of(const row_table& table) {
    const auto model = read_models.find(table.layout->name);
    if (model == read_models.end()) return nullptr;
    const auto generation = table.generation == 0 ? model->second.status.generation : table.generation;
    const auto rows = model->second.tables.find(generation);
    return rows == model->second.tables.end() ? nullptr : &rows->second;
}

memory_kept* memory_data::kept_by(std::string_view owner, sequence number) {
    const auto found = kept.find(number);
    return found == kept.end() || found->second.owner != owner ? nullptr : &found->second;
}

inbox_answer memory_data::find_mark(const inbox_mark& message) const {
    auto answer = inbox_answer::unknown;
    for (auto it = inbox.lower_bound({message.message_id, message.handler, ""}); it != inbox.end(); ++it) {
        const auto& [id, handler, content] = it->first;
        if (id != message.message_id || handler != message.handler) break;
        if (content.empty() || message.content.empty() || content == message.content) return inbox_answer::handled;
        answer = inbox_answer::other_content;
    }
    return answer;
}

backfill* memory_data::open_backfill(std::string_view broker) {
    const auto found = std::ranges::find_if(
        backfills, [broker](const backfill& each) { return each.order.broker == broker && holds_back(each.state); });
    return found == backfills.end() ? nullptr : &*found;
}

void memory_data::look_again(std::string_view broker, sequence first) {
    for (auto& [lane, lease] : leases) {
        if (broker_of(lane) != broker) continue;
        lease.mark = std::min(lease.mark, first - 1);
        ++lease.rescan;
    }
}

void memory_data::tell_lanes() {
    ++news;
    for (auto* sleeper : sleepers) sleeper->notify();
}

}  // namespace sluice::store::memory
