#pragma once

#include <type_traits>
#include <utility>

namespace sluice {

/// A member of an aggregate or a process manager that is not part of its state: a cache, a counter of this process.
///
/// It is listed in BOOST_DESCRIBE_CLASS like every other member, so that one that was forgotten there is still found.
/// It is written nowhere. After loading it is as the default constructor leaves it, or for a process manager as the
/// object has it that was given with its declaration; copies of the object copy it.
/// What the object does must not depend on it.
///
/// @code
///     sluice::not_stored<std::optional<std::int64_t>> total_{};
///     BOOST_DESCRIBE_CLASS(Order, (), (), (), (order_id_, lines_, total_))
/// @endcode
///
/// Thread safety: that of T.
template <class T>
class not_stored {
    static_assert(std::is_object_v<T>, "not_stored keeps an object; use a pointer for a reference");

public:
    not_stored() = default;
    // NOLINTNEXTLINE(google-explicit-constructor): it is written as the value that it is.
    not_stored(T value) noexcept(std::is_nothrow_move_constructible_v<T>) : value_{std::move(value)} {}

    [[nodiscard]] T& operator*() noexcept { return value_; }
    [[nodiscard]] const T& operator*() const noexcept { return value_; }
    [[nodiscard]] T* operator->() noexcept { return &value_; }
    [[nodiscard]] const T* operator->() const noexcept { return &value_; }

private:
    T value_{};
};

namespace detail {

template <class T>
inline constexpr bool is_not_stored = false;
template <class T>
inline constexpr bool is_not_stored<not_stored<T>> = true;

}  // namespace detail
}  // namespace sluice
