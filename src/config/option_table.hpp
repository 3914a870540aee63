#pragma once

#include <charconv>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "config/provider.hpp"

namespace sluice::config {

/// The keys of a provider, each bound to the member of the adapter's options that it sets. The default of a key is the
/// value of that member in `Options{}`, so no key, range or default is written twice.
///
/// A member is given as a pointer to it or, when it is nested, as a function `options -> reference`.
template <class Options>
class option_table {
public:
    /// @param member  an integer
    template <class Member>
    option_table& whole(std::string_view key, Member member, std::int64_t lowest, std::int64_t highest,
                        std::string_view purpose) {
        return add_whole<std::int64_t>(key, member, lowest, highest, purpose);
    }

    /// @param member  a duration
    template <class Member>
    option_table& milliseconds(std::string_view key, Member member, std::int64_t lowest, std::int64_t highest,
                               std::string_view purpose) {
        return add_whole<std::chrono::milliseconds>(key, member, lowest, highest, purpose);
    }

    /// @param member  a duration
    template <class Member>
    option_table& hours(std::string_view key, Member member, std::int64_t lowest, std::int64_t highest,
                        std::string_view purpose) {
        return add_whole<std::chrono::hours>(key, member, lowest, highest, purpose);
    }

    /// @param words  one for each value of the member's type
    template <class Value, class Member>
    option_table& choice(std::string_view key, Member member, std::vector<std::pair<std::string, Value>> words,
                         std::string_view purpose) {
        provider_option option{.key = key, .what = provider_option::kind::choice, .purpose = purpose};
        for (const auto& [word, value] : words) {
            option.words.push_back(word);
            if (value == usual(member)) option.usual = word;
        }
        return add(std::move(option), [member, words = std::move(words)](Options& into, const std::string& text) {
            for (const auto& [word, value] : words) {
                if (word == text) std::invoke(member, into) = value;
            }
        });
    }

    template <class Member>
    option_table& flag(std::string_view key, Member member, std::string_view purpose) {
        return add({.key = key,
                    .what = provider_option::kind::flag,
                    .usual = usual(member) ? "true" : "false",
                    .purpose = purpose},
                   [member](Options& into, const std::string& text) { std::invoke(member, into) = text == "true"; });
    }

    template <class Member>
    option_table& text(std::string_view key, Member member, std::string_view purpose) {
        return add(
            {.key = key, .what = provider_option::kind::text, .usual = std::string{usual(member)}, .purpose = purpose},
            [member](Options& into, const std::string& text) { std::invoke(member, into) = text; });
    }

    /// A text that is never shown, without a default.
    template <class Member>
    option_table& secret(std::string_view key, Member member, std::string_view purpose) {
        return add({.key = key, .what = provider_option::kind::secret, .purpose = purpose},
                   [member](Options& into, const std::string& text) { std::invoke(member, into) = text; });
    }

    /// The name of a file, without a default. @param member  a path
    template <class Member>
    option_table& file(std::string_view key, Member member, std::string_view purpose) {
        return path(provider_option::kind::file, key, member, purpose);
    }

    /// The name of a file that holds a database, without a default. @param member  a path
    template <class Member>
    option_table& database(std::string_view key, Member member, std::string_view purpose) {
        return path(provider_option::kind::database, key, member, purpose);
    }

    /// @param member  a map from text to text
    /// @param objection  why a key may not be in the table; empty when it may
    template <class Member>
    option_table& table(std::string_view key, Member member, std::string (*objection)(std::string_view),
                        std::string_view purpose) {
        options_.push_back(
            {.key = key, .what = provider_option::kind::table, .purpose = purpose, .objection = objection});
        setters_.push_back([member, start = std::string{key} + '.'](Options& into, const option_texts& given) {
            for (auto each = given.lower_bound(start); each != given.end() && each->first.starts_with(start); ++each) {
                std::invoke(member, into).insert_or_assign(each->first.substr(start.size()), each->second);
            }
        });
        return *this;
    }

    /// Keys that several providers have.
    /// @param add  called with this table
    template <class Add>
    option_table& with(const Add& add) {
        add(*this);
        return *this;
    }

    [[nodiscard]] std::span<const provider_option> options() const noexcept { return options_; }

    /// @param given  what the loader has checked
    /// @param into  what holds for all that is not given
    [[nodiscard]] Options read(const option_texts& given, Options into = {}) const {
        for (const setter& each : setters_) each(into, given);
        return into;
    }

private:
    using setter = std::function<void(Options&, const option_texts&)>;
    using text_setter = std::function<void(Options&, const std::string&)>;

    template <class Member>
    static auto usual(Member member) {
        const Options usual{};
        return std::remove_cvref_t<decltype(std::invoke(member, usual))>{std::invoke(member, usual)};
    }

    /// @tparam Unit  of the number in the file, when the member is a duration
    template <class Unit, class Member>
    option_table& add_whole(std::string_view key, Member member, std::int64_t lowest, std::int64_t highest,
                            std::string_view purpose) {
        using value = decltype(usual(member));
        std::string standard;
        if constexpr (std::is_integral_v<value>) {
            standard = std::to_string(usual(member));
        } else {
            standard = std::to_string(std::chrono::duration_cast<Unit>(usual(member)).count());
        }
        return add({.key = key,
                    .what = provider_option::kind::whole,
                    .lowest = lowest,
                    .highest = highest,
                    .usual = std::move(standard),
                    .purpose = purpose},
                   [member](Options& into, const std::string& text) {
                       std::int64_t number = 0;
                       std::from_chars(text.data(), text.data() + text.size(), number);
                       if constexpr (std::is_integral_v<value>) {
                           std::invoke(member, into) = static_cast<value>(number);
                       } else {
                           std::invoke(member, into) = Unit{number};
                       }
                   });
    }

    template <class Member>
    option_table& path(provider_option::kind what, std::string_view key, Member member, std::string_view purpose) {
        return add({.key = key, .what = what, .purpose = purpose}, [member](Options& into, const std::string& text) {
            std::invoke(member, into) = std::filesystem::path{text};
        });
    }

    option_table& add(provider_option option, text_setter set) {
        setters_.push_back(
            [key = std::string{option.key}, set = std::move(set)](Options& into, const option_texts& given) {
                if (const auto found = given.find(key); found != given.end()) set(into, found->second);
            });
        options_.push_back(std::move(option));
        return *this;
    }

    std::vector<provider_option> options_;
    std::vector<setter> setters_;  ///< as many; each takes what is its own
};

}  // namespace sluice::config
