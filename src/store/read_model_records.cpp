#include "store/read_model_records.hpp"

namespace sluice::store {

std::string physical_name(const row_table& table) {
    if (table.generation == 0) return table.layout->name;
    return table.layout->name + "__g" + std::to_string(table.generation);
}

}  // namespace sluice::store
