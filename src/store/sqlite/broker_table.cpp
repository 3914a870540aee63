#include "store/sqlite/broker_table.hpp"

#include <fmt/format.h>

#include <sluice/error.hpp>

namespace sluice::store::sqlite {
namespace {

numbered_broker read_broker(const rows& found) {
    return {.number = static_cast<int>(found.integer(0)), .name = found.text(1), .floor = found.integer(2)};
}

}  // namespace

std::optional<numbered_broker> broker_table::find(std::string_view name) {
    auto found = find_.query(name);
    if (!found.next()) return std::nullopt;
    return read_broker(found);
}

std::vector<numbered_broker> broker_table::all() {
    std::vector<numbered_broker> brokers;
    for (auto found = all_.query(); found.next();) brokers.push_back(read_broker(found));
    return brokers;
}

numbered_broker broker_table::add(std::string_view name) {
    auto found = next_.query();
    const auto number = found.next() ? static_cast<int>(found.integer(0)) : 0;
    if (number >= most_brokers) {
        throw usage_error{
            fmt::format("an event is for broker {}, but events of this database have gone to {} brokers before, and "
                        "there is no number for another one; use one of the former names again, or another database",
                        name, most_brokers)};
    }
    add_.run(number, name);
    return {.number = number, .name = std::string{name}};
}

void broker_table::raise_floor(int number, sequence floor, std::int64_t deleted) {
    raise_floor_.run(number, floor, deleted);
}

}  // namespace sluice::store::sqlite
