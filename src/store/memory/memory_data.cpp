#include "store/memory/memory_data.hpp"

namespace sluice::store::memory {

std::map<std::string, stored_row, std::less<>>* memory_data::rows_of(const row_table& table) {
    const auto model = read_models.find(table.layout->name);
    if (model == read_models.end()) return nullptr;
    const auto generation = table.generation == 0 ? model->second.status.generation : table.generation;
    const auto rows = model->second.tables.find(generation);
    return rows == model->second.tables.end() ? nullptr : &rows->second;
}

void memory_data::tell_lanes() {
    ++news;
    for (auto* sleeper : sleepers) sleeper->notify();
}

}  // namespace sluice::store::memory
