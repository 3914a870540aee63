#include "commit/stored_event.hpp"

#include <utility>

namespace sluice::commit {

std::optional<stored_event> read_stored_event(const detail::registry& domain, const store::logged_event& event) {
    json::value data = json::parse(event.data);
    const auto readable = domain.read_event(event.type, data);
    if (!readable) return std::nullopt;
    if (readable->is_upcast()) data = json::value{readable->data()};
    return stored_event{&readable->entry(), std::move(data)};
}

}  // namespace sluice::commit
