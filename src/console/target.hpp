#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// Paths and queries of requests, and of links.
namespace sluice::console {

/// Names and values in the order of the query or the form. Bounded by the request.
///
/// Thread safety: a value type.
class form_values {
public:
    form_values() = default;

    /// Reads `a=b&c=d` with `+` and `%XX`. Nothing when it is not well-formed, or holds something that is no UTF-8.
    [[nodiscard]] static std::optional<form_values> read(std::string_view text);

    /// The first value of that name; empty when there is none.
    [[nodiscard]] const std::string& get(std::string_view name) const noexcept;
    [[nodiscard]] bool has(std::string_view name) const noexcept;
    /// All values of that name.
    [[nodiscard]] std::vector<std::string> all(std::string_view name) const;
    void set(std::string name, std::string value);
    void add(std::string name, std::string value) { values_.emplace_back(std::move(name), std::move(value)); }
    void erase(std::string_view name);

    [[nodiscard]] auto begin() const noexcept { return values_.begin(); }
    [[nodiscard]] auto end() const noexcept { return values_.end(); }
    /// `a=b&c=d`, without what is empty.
    [[nodiscard]] std::string to_query() const;

private:
    std::vector<std::pair<std::string, std::string>> values_{};
};

/// `%XX` of everything but letters, digits and `-._~`.
[[nodiscard]] std::string percent_encoded(std::string_view text);
/// Nothing when it is not well-formed.
[[nodiscard]] std::optional<std::string> percent_decoded(std::string_view text, bool plus_is_blank = false);

/// The decoded segments of an absolute path. Nothing for one that is not well-formed, or has empty segments, `.` or
/// `..`, also encoded: nobody needs them but one who looks for a way out.
[[nodiscard]] std::optional<std::vector<std::string>> segments_of(std::string_view path);

/// `/console/shop/rows`, and `?a=b` for what is not empty. @param segments  encoded here
[[nodiscard]] std::string target(const std::vector<std::string>& segments, const form_values& query = {});

}  // namespace sluice::console
