#pragma once

#include <array>
#include <cstddef>
#include <string_view>

namespace sluice {

/// A name that a member had before it was renamed.
///
/// Thread safety: a value type. Lifetime: the names are literals, which live for ever.
struct field_alias {
    std::string_view old_name;
    std::string_view new_name;  ///< of the member, as it is now
};

/// Former names of members: `{old, new}` each. The codec reads the value under an old name when there is none under the
/// new one; of several old names of one member the first that is there counts. It writes new names only.
///
/// In an event, command, value object or aggregate, public:
///
/// @code
/// struct OrderShipped {
///     static constexpr sluice::event_of<Order> contract{.published = true};
///     static constexpr auto aliases = sluice::aliases({{"shipped", "shipped_at"}});
///     sluice::identifier order_id;
///     sluice::date_time shipped_at;
/// };
/// @endcode
///
/// A new name that is no member, or an old one that is, does not compile.
template <std::size_t count>
[[nodiscard]] consteval std::array<field_alias, count> aliases(const field_alias (&renamed)[count]) {
    std::array<field_alias, count> list{};
    for (std::size_t i = 0; i < count; ++i) list[i] = renamed[i];
    return list;
}

}  // namespace sluice
