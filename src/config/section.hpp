#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/document.hpp"
#include "config/problems.hpp"

namespace sluice::config {

/// How the value of a key may be shown in an error.
enum class sensitivity {
    open,   ///< as it is
    uri,    ///< scheme, host and path only
    secret  ///< not at all
};

/// What came of reading a file.
struct reading {
    std::vector<problem> problems{};
    std::vector<effective_setting> settings{};  ///< one for each key that was asked for
};

/// Reads the keys of one table of the document and reports what does not fit, always going on.
///
/// A reader leaves its target alone when the key is absent or wrong, so the target's initial value is the default.
/// Keys that were asked for are the known ones; `refuse_unknown` reports all others. Every key that was asked for is
/// noted with its effective value, whether or not the file has it.
class section {
public:
    /// @param table  null when the file has no such section; must outlive this object, like `into`
    section(const node* table, std::string path, reading& into);

    [[nodiscard]] const std::string& path() const noexcept { return path_; }
    [[nodiscard]] int line() const noexcept { return table_ == nullptr ? 0 : table_->line; }

    void whole(std::string_view key, int& target, std::int64_t lowest, std::int64_t highest);
    void whole(std::string_view key, std::size_t& target, std::int64_t lowest, std::int64_t highest);
    void number(std::string_view key, double& target, double lowest, double highest);
    void flag(std::string_view key, bool& target);
    void text(std::string_view key, std::string& target, sensitivity shown = sensitivity::open);
    void choice(std::string_view key, std::string& target, std::span<const std::string> words);
    void texts(std::string_view key, std::vector<std::string>& target);
    // The same for keys without a default.
    void whole(std::string_view key, std::optional<int>& target, std::int64_t lowest, std::int64_t highest);
    void whole(std::string_view key, std::optional<std::size_t>& target, std::int64_t lowest, std::int64_t highest);
    void number(std::string_view key, std::optional<double>& target, double lowest, double highest);
    void flag(std::string_view key, std::optional<bool>& target);
    void texts(std::string_view key, std::optional<std::vector<std::string>>& target);

    /// Each key of this table with its value as text, whatever they are called; those of a table in it are called
    /// `table.key`. What looks like a secret is not shown.
    void all_texts(std::map<std::string, std::string>& target);

    /// Says what the name of a file, which was read last, comes to.
    void resolve(std::string_view key, const std::string& path);

    /// A table below this one.
    [[nodiscard]] section below(std::string_view key);
    /// All tables below this one, when their names are the user's choice.
    [[nodiscard]] std::vector<std::pair<std::string, section>> all_below();
    /// The keys here that hold a table, asked for or not.
    [[nodiscard]] std::vector<std::string> tables() const;
    /// All keys here.
    [[nodiscard]] std::vector<std::string> keys() const;

    /// Does not report a key as unknown, because something else is reported about it.
    void excuse(std::string_view key) { known_.emplace(key); }
    /// True when the file sets the key, rightly or wrongly.
    [[nodiscard]] bool has(std::string_view key) const noexcept;
    /// True when the value came from a variable, at least in part.
    [[nodiscard]] bool is_substituted(std::string_view key) const noexcept;
    /// Takes the keys not asked for so far as known: what they mean cannot be told.
    void ignore_unknown() noexcept { ignores_unknown_ = true; }
    void refuse_unknown() const;

    /// Reports something about a key of this section that the caller found out.
    void report(std::string_view key, std::string message, std::string remedy) const;
    /// The same about one element of a list.
    void report_element(std::string_view key, std::size_t index, std::string message, std::string remedy) const;

private:
    [[nodiscard]] const node* ask(std::string_view key);
    [[nodiscard]] const node* peek(std::string_view key) const noexcept;
    void mismatch(std::string_view key, const node& value, const std::string& expected) const;
    void add(std::string_view key, const node* value, std::string message, std::string remedy) const;
    [[nodiscard]] std::optional<std::int64_t> read_whole(std::string_view key, std::int64_t lowest,
                                                         std::int64_t highest);
    [[nodiscard]] std::optional<double> read_number(std::string_view key, double lowest, double highest);
    [[nodiscard]] std::optional<bool> read_flag(std::string_view key);
    [[nodiscard]] std::optional<std::vector<std::string>> read_texts(std::string_view key);
    void note(std::string_view key, setting_value effective);
    [[nodiscard]] sensitivity sensitivity_of(std::string_view key) const;
    void collect_texts(const node& from, const std::string& prefix, std::map<std::string, std::string>& target);

    const node* table_;
    std::string path_;
    reading* into_;
    std::set<std::string, std::less<>> known_;
    std::set<std::string, std::less<>> asked_;  // must all be noted
    std::set<std::string, std::less<>> noted_;
    std::map<std::string, sensitivity, std::less<>> sensitive_;  ///< keys that are not open
    bool ignores_unknown_ = false;
};

/// `did you mean "outbox"?`, or `known: a, b` when nothing is near.
/// @param none  what is said when there are no candidates
[[nodiscard]] std::string did_you_mean(std::string_view word, std::span<const std::string> candidates,
                                       std::string_view otherwise = "known", std::string_view none = {});

}  // namespace sluice::config
