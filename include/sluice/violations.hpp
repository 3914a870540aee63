#pragma once

#include <sluice/error.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sluice {

/// Collects broken rules together with the path to the field that breaks each, so that all are reported at once.
///
/// A value object, event, command or aggregate adds rules of its own with a public member function:
/// @code
/// void check(sluice::violations& broken) const {
///     if (quantity < 1) broken.add("quantity", "must be at least 1");
/// }
/// @endcode
/// Inside `lines[2]` of an order this is reported as `lines[2].quantity`.
///
/// Thread safety: none.
class violations {
public:
    /// While it lives, what is added lies below that field or element.
    ///
    /// Thread safety: none. Lifetime: scopes end in the reverse order of their making, and before the collection.
    class scope {
    public:
        /// @param field  must outlive the scope
        scope(violations& of, std::string_view field) noexcept : scope{of, field, not_an_element} {}
        scope(violations& of, std::size_t element) noexcept : scope{of, {}, element} {}
        scope(const scope&) = delete;
        scope& operator=(const scope&) = delete;
        ~scope() { of_.innermost_ = outer_; }

    private:
        friend class violations;
        static constexpr std::size_t not_an_element = static_cast<std::size_t>(-1);

        scope(violations& of, std::string_view field, std::size_t element) noexcept
            : of_{of}, outer_{of.innermost_}, field_{field}, element_{element} {
            of.innermost_ = this;
        }

        violations& of_;
        const scope* outer_;
        std::string_view field_;
        std::size_t element_;
    };

    violations() = default;
    violations(const violations&) = delete;
    violations& operator=(const violations&) = delete;
    ~violations() = default;

    /// @param field  below the current scope; empty for the thing of the scope itself
    /// @param message  continues the name of the field: `must be at least 1`
    void add(std::string_view field, std::string message);

    [[nodiscard]] bool empty() const noexcept { return found_.empty(); }
    [[nodiscard]] const std::vector<violation>& found() const noexcept { return found_; }
    /// Hands over what was found; this collection is empty afterwards.
    [[nodiscard]] std::vector<violation> take() noexcept { return std::exchange(found_, {}); }

private:
    static void append_path(std::string& path, const scope* innermost);

    std::vector<violation> found_;
    const scope* innermost_ = nullptr;
};

}  // namespace sluice
