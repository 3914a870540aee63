#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

struct sqlite3_stmt;

namespace sluice::sqlite {

/// The statements of a connection by their texts, compiled once and kept for whoever has the text next.
///
/// A text may have several users at a time: each compiles one of its own, and one of them is kept.
///
/// Thread safety: that of the connection. Lifetime: outlives what was taken out.
class statement_cache {
public:
    /// Above so many texts, those without a user are forgotten: generated ones need not come again.
    static constexpr std::size_t most_texts = 128;

    struct finalizer {
        void operator()(sqlite3_stmt* statement) const noexcept;
    };
    using compiled = std::unique_ptr<sqlite3_stmt, finalizer>;

    struct entry {
        compiled idle;
        std::size_t users = 0;
    };

private:
    struct text_hash {
        using is_transparent = void;
        std::size_t operator()(std::string_view text) const noexcept { return std::hash<std::string_view>{}(text); }
    };
    using texts = std::unordered_map<std::string, entry, text_hash, std::equal_to<>>;

public:
    /// Stays where it is until its last user has gone.
    using place = texts::value_type;

    /// The place of a text, for one more user.
    [[nodiscard]] place& take(std::string_view sql);
    /// @param used  null when nothing was compiled
    static void give_back(place& where, compiled used) noexcept;

    [[nodiscard]] std::size_t size() const noexcept { return texts_.size(); }

private:
    texts texts_;
};

}  // namespace sluice::sqlite
