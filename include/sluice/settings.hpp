#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <variant>

#include <sluice/json.hpp>

namespace sluice {

/// Where an application has its configuration from. docs/configuration.md documents all keys; they are read and checked
/// by `application` and `transactional_outbox`.
///
/// @code
/// settings::from_file("/etc/shop/domain.toml");
/// settings::from_values({{"databases", json::object{{"default", json::object{{"provider", "postgresql"},
///                                                                           {"database_uri", address}}}}},
///                        {"server", json::object{{"shutdown_seconds", 5}}}});
/// @endcode
///
/// Thread safety: a value type.
class settings {
public:
    /// A TOML file: `${VARIABLE}` is substituted, and the section of `SLUICE_ENV` is laid over the others. Relative
    /// names of files in it start at its directory.
    [[nodiscard]] static settings from_file(std::filesystem::path file) {
        return settings{file_source{std::move(file)}};
    }
    /// The text of such a file. @param directory  where relative names of files start
    [[nodiscard]] static settings from_text(std::string toml, std::filesystem::path directory = ".") {
        return settings{text_source{std::move(toml), std::move(directory)}};
    }
    /// The same keys, one object for each section. The values stand as they are: nothing is substituted, and
    /// `SLUICE_ENV` does not count. @param directory  where relative names of files start
    [[nodiscard]] static settings from_values(json::object values, std::filesystem::path directory = ".") {
        return settings{value_source{std::move(values), std::move(directory)}};
    }

    /// A TOML file.
    ///
    /// Thread safety: a value type.
    struct file_source {
        std::filesystem::path file{};
    };
    /// The text of such a file.
    ///
    /// Thread safety: a value type.
    struct text_source {
        std::string toml{};
        std::filesystem::path directory{};
    };
    /// The keys and values themselves.
    ///
    /// Thread safety: a value type.
    struct value_source {
        json::object values{};
        std::filesystem::path directory{};
    };
    using source = std::variant<file_source, text_source, value_source>;
    /// What was given. It may hold a password.
    [[nodiscard]] const source& given() const noexcept { return given_; }

private:
    explicit settings(source given) : given_{std::move(given)} {}

    source given_;
};

}  // namespace sluice
