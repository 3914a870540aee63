#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <sluice/json.hpp>
#include <sluice/time.hpp>

#include "console/context.hpp"
#include "console/markup.hpp"
#include "console/target.hpp"

/// The pieces that pages are made of.
namespace sluice::console {

/// What a word says; colour alone never says it.
enum class tone { plain, good, caution, bad, faint };

[[nodiscard]] markup badge(tone of, std::string_view word);
/// Of a lane, a row, a read model.
[[nodiscard]] markup state_badge(std::string_view state);

/// `3 min ago`, with the time itself for those who point at it.
[[nodiscard]] markup time_ago(date_time at, date_time now);
[[nodiscard]] markup time_ago(const std::optional<date_time>& at, date_time now);
/// `3 min`, `2 d`.
[[nodiscard]] std::string age_text(duration age);
/// `12 345`
[[nodiscard]] std::string amount(std::int64_t number);
/// `1 row`, `12 345 rows`
[[nodiscard]] std::string count_of(std::int64_t number, std::string_view one);

/// A text of ours in which `backticks` hold names.
[[nodiscard]] markup prose(std::string_view text);
/// The last error of a row: `{"reason": …, "message": …}`, whose form is somebody else's choice.
[[nodiscard]] markup error_text(std::string_view last_error);
/// A name or an id that a program gave.
[[nodiscard]] markup code(std::string_view text);
/// Text of several lines, as it is.
[[nodiscard]] markup code_block(std::string_view text);
/// JSON, indented. Null is `none`.
[[nodiscard]] markup json_block(const json::value& of);

/// A heading and what stands below it.
/// @param live  a name: while the page is open, this part follows what happens; empty: it stays
[[nodiscard]] markup panel(std::string_view title, const markup& content, std::string_view live = {});
/// Pairs of a term and what is known of it.
[[nodiscard]] markup facts(const std::vector<std::pair<std::string, markup>>& of);
[[nodiscard]] markup paragraph(const markup& content);
[[nodiscard]] markup faint(const markup& content);
/// A note that somebody should read. @param title  may be empty
[[nodiscard]] markup notice(tone of, std::string_view title, const markup& content);

/// A table whose rows are cards where the page is narrow.
class table {
public:
    /// @param caption  for those who hear the page
    explicit table(std::string caption) : caption_{std::move(caption)} {}

    table& column(std::string title, bool is_number = false);
    void row(std::vector<markup> cells);
    [[nodiscard]] bool empty() const noexcept { return rows_.empty(); }
    /// @param otherwise  what is said when there are no rows
    [[nodiscard]] markup render(std::string_view otherwise) const;

private:
    struct column_title {
        std::string title;
        bool is_number;
    };
    std::string caption_;
    std::vector<column_title> columns_{};
    std::vector<std::vector<markup>> rows_{};
};

/// How far something is. @param label  for those who hear the page
[[nodiscard]] markup progress_bar(std::int64_t done, std::int64_t whole, std::string_view label);

/// How a number went, as a line. @param label  for those who hear the page
[[nodiscard]] markup sparkline(const std::vector<double>& values, std::string_view label, bool large = false);

/// A labelled input of one line. @param kind  `text`, `number`, `password`
[[nodiscard]] markup text_field(std::string_view name, std::string_view label, std::string_view value,
                                std::string_view hint = {}, std::string_view kind = "text");
/// A labelled choice. @param words  value and text
[[nodiscard]] markup choice_field(std::string_view name, std::string_view label,
                                  const std::vector<std::pair<std::string, std::string>>& words,
                                  std::string_view value);
[[nodiscard]] markup check_field(std::string_view name, std::string_view label, bool checked);
[[nodiscard]] markup hidden_field(std::string_view name, std::string_view value);
/// @param to  where it sends the form to, if not where the form says
[[nodiscard]] markup button(std::string_view text, tone of = tone::plain, std::string_view to = {});
/// Fields that search, without a change. @param to  the page
[[nodiscard]] markup search_form(std::string_view to, const markup& fields);
/// A form that changes something. @param token  of `visit::form_token`
[[nodiscard]] markup change_form(std::string_view to, std::string_view token, const markup& content);

/// Where the next page is.
/// @param next          empty: there is none
/// @param is_cut_short  the page's time was up before it was full; the next one looks further
[[nodiscard]] markup pager(const std::vector<std::string>& path, form_values query, std::string_view next,
                           bool is_cut_short);

}  // namespace sluice::console
