#pragma once

#include <concepts>
#include <functional>
#include <map>
#include <memory>
#include <type_traits>
#include <utility>

#include <sluice/json.hpp>

/// How events change over time (docs/events.md). The version in an event's contract is the current one: the struct says
/// what it looks like, and upcasters bring what was written in older versions up to it.
namespace sluice {

/// The version that an upcaster reads.
///
/// Thread safety: a constant.
template <int version>
struct from {
    static_assert(version >= 1, "versions of an event are counted from 1");
    static constexpr int value = version;
};

/// The version that an upcaster makes.
///
/// Thread safety: a constant.
template <int version>
struct to {
    static_assert(version >= 1, "versions of an event are counted from 1");
    static constexpr int value = version;
};

/// The older version in which an event is published, too.
///
/// Thread safety: a constant.
template <int version>
struct as_version {
    static_assert(version >= 1, "versions of an event are counted from 1");
    static constexpr int value = version;
};

namespace detail {

template <class T>
inline constexpr bool is_from = false;
template <int version>
inline constexpr bool is_from<from<version>> = true;
template <class T>
inline constexpr bool is_to = false;
template <int version>
inline constexpr bool is_to<to<version>> = true;
template <class T>
inline constexpr bool is_as_version = false;
template <int version>
inline constexpr bool is_as_version<as_version<version>> = true;

/// Makes the payload of one version from that of another.
using event_converter = std::function<json::object(json::object data)>;

struct upcast_step {
    int to;
    event_converter convert;
};

/// The steps of one event, by the version they start from.
using upcast_chain = std::map<int, upcast_step>;

/// The older versions in which one event is published, too: newest first.
using older_publications = std::map<int, event_converter, std::greater<>>;

template <class Converter>
event_converter make_converter(Converter convert) {
    static_assert(
        std::is_invocable_r_v<json::object, const Converter&, json::object>,
        "a converter of events is called as `sluice::json::object operator()(sluice::json::object data) const`");
    if constexpr (std::copy_constructible<Converter>) {
        return event_converter{std::move(convert)};
    } else {
        return [shared = std::make_shared<const Converter>(std::move(convert))](json::object data) {
            return (*shared)(std::move(data));
        };
    }
}

}  // namespace detail
}  // namespace sluice
