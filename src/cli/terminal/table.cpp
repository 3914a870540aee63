#include "cli/terminal/table.hpp"

#include <algorithm>
#include <stdexcept>

#include "config/printable.hpp"

namespace sluice::cli {

namespace {

constexpr std::size_t gap = 2;

void end_line(std::string& text) {
    text.erase(text.find_last_not_of(' ') + 1);
    text += '\n';
}

/// One cell and the gap behind it.
std::string padded(const cell& content, std::size_t width, alignment align, const console& on) {
    const std::string padding(width - display_width(content.text), ' ');
    const bool right = align == alignment::right;
    return (right ? padding : "") + on.paint(content.text, content.colour) + (right ? "" : padding) +
           std::string(gap, ' ');
}

}  // namespace

void table::add(std::vector<cell> cells) {
    if (cells.size() != columns_.size()) throw std::logic_error{"a row of a table has another number of cells"};
    for (cell& each : cells) each.text = config::printable(each.text);
    rows_.push_back(std::move(cells));
}

std::string table::render(const console& on) const {
    std::vector<std::size_t> widths(columns_.size(), 0);
    for (const auto& row : rows_) {
        for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], display_width(row[i].text));
    }
    std::string text;
    const auto put = [&](std::size_t i, const cell& content) {
        if (widths[i] == 0) return;
        text += padded(content, std::max(widths[i], display_width(columns_[i].title)), columns_[i].align, on);
    };
    for (std::size_t i = 0; i < columns_.size(); ++i) put(i, {columns_[i].title, tone::strong});
    end_line(text);
    for (const auto& row : rows_) {
        for (std::size_t i = 0; i < row.size(); ++i) put(i, row[i]);
        end_line(text);
    }
    return text;
}

growing_table::growing_table(std::vector<column> columns) : columns_{std::move(columns)} {
    for (const column& each : columns_) widths_.push_back(display_width(each.title));
}

std::string growing_table::header(const console& on) const {
    std::vector<cell> titles;
    for (const column& each : columns_) titles.emplace_back(each.title, tone::strong);
    return line(titles, on);
}

std::string growing_table::row(std::vector<cell> cells, const console& on) {
    if (cells.size() != columns_.size()) throw std::logic_error{"a row of a table has another number of cells"};
    for (std::size_t i = 0; i < cells.size(); ++i) {
        cells[i].text = config::printable(cells[i].text);
        widths_[i] = std::max(widths_[i], display_width(cells[i].text));
    }
    return line(cells, on);
}

std::string growing_table::line(const std::vector<cell>& cells, const console& on) const {
    std::string text;
    for (std::size_t i = 0; i < cells.size(); ++i) text += padded(cells[i], widths_[i], columns_[i].align, on);
    text.erase(text.find_last_not_of(' ') + 1);
    return text;
}

std::size_t display_width(std::string_view text) noexcept {
    return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
        return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U;  // bytes that do not continue a character
    }));
}

}  // namespace sluice::cli
