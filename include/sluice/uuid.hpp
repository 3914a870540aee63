#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace sluice {

/// A UUID (RFC 4122) that is checked to be one, unlike an `identifier`, which is any text. Text form: lower case with
/// dashes, `0f8fad5b-d9cb-469f-a165-70867728950e`.
///
/// The default is the nil UUID, that nobody has set. As with other fields no constructor refuses it, and
/// `codec::validate()` reports it; a reference that may be missing is a `std::optional<uuid>`. The identity of an
/// aggregate and the key of a read model stay `identifier`s: `sluice::identifier{id.to_string()}`.
///
/// Thread safety: a value type.
class uuid {
public:
    using bytes_type = std::array<std::uint8_t, 16>;

    constexpr uuid() = default;
    constexpr explicit uuid(const bytes_type& bytes) noexcept : bytes_{bytes} {}

    /// Reads 32 hexadecimal digits of either case, with the four dashes or, as Python's `uuid4().hex`, without any.
    /// @throws decode_error naming the text
    [[nodiscard]] static uuid parse(std::string_view text);

    [[nodiscard]] constexpr const bytes_type& bytes() const noexcept { return bytes_; }
    [[nodiscard]] constexpr bool is_nil() const noexcept { return *this == uuid{}; }
    [[nodiscard]] std::string to_string() const;

    friend constexpr bool operator==(const uuid&, const uuid&) = default;
    /// The order of the text forms.
    friend constexpr std::strong_ordering operator<=>(const uuid&, const uuid&) = default;

private:
    bytes_type bytes_{};
};

}  // namespace sluice

template <>
struct std::hash<sluice::uuid> {
    [[nodiscard]] std::size_t operator()(const sluice::uuid& id) const noexcept {
        return std::hash<std::string_view>{}(
            {reinterpret_cast<const char*>(id.bytes().data()), id.bytes().size()});  // NOLINT: bytes are bytes
    }
};
