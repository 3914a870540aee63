#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cli/terminal/console.hpp"

namespace sluice::cli {

enum class alignment { left, right };

struct column {
    std::string title;
    alignment align = alignment::left;
};

struct cell {
    cell(std::string content, tone as = tone::plain) : text{std::move(content)}, colour{as} {}
    cell(const char* content) : text{content} {}

    std::string text;
    tone colour = tone::plain;
};

/// Rows in columns as wide as their widest value, two blanks apart, nothing cut and no lines drawn. A column in which
/// every cell is empty is left out. Texts are made safe to show.
class table {
public:
    explicit table(std::vector<column> columns) : columns_{std::move(columns)} {}

    /// @param cells  one for each column
    void add(std::vector<cell> cells);
    [[nodiscard]] bool empty() const noexcept { return rows_.empty(); }
    [[nodiscard]] std::string render(const console& on) const;

private:
    std::vector<column> columns_;
    std::vector<std::vector<cell>> rows_;
};

/// The same for rows that come one after the other and are shown at once: a column becomes wider when a value needs it,
/// and stays so. No column is left out.
class growing_table {
public:
    explicit growing_table(std::vector<column> columns);

    /// The titles, without a line break.
    [[nodiscard]] std::string header(const console& on) const;
    /// One row, without a line break. @param cells  one for each column
    [[nodiscard]] std::string row(std::vector<cell> cells, const console& on);

private:
    [[nodiscard]] std::string line(const std::vector<cell>& cells, const console& on) const;

    std::vector<column> columns_;
    std::vector<std::size_t> widths_;
};

/// How many characters a terminal shows for a UTF-8 text (every code point counts as one).
[[nodiscard]] std::size_t display_width(std::string_view text) noexcept;

}  // namespace sluice::cli
