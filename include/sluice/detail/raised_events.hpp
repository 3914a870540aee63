#pragma once

#include <map>
#include <string>
#include <string_view>

#include <sluice/reflect.hpp>

/// Which events the code of this process raises, so that one that is not declared is found before it is raised.
namespace sluice::detail {

/// Made once for each event that some `raise` was compiled for, when its code is loaded.
///
/// Thread safety: may be made concurrently.
class raised_event {
public:
    raised_event(std::string_view event, std::string_view aggregate) noexcept;
};

template <class Aggregate, class Event>
inline const raised_event raised{reflect::type_name<Event>(), reflect::type_name<Aggregate>()};

/// C++ names of the aggregates, by those of the events. Thread safety: may be called concurrently.
[[nodiscard]] std::map<std::string, std::string> raised_events();

}  // namespace sluice::detail
