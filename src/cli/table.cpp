#include "cli/table.hpp"

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
    const auto put = [&](std::size_t i, const std::string& content, tone colour) {
        if (widths[i] == 0) return;
        const std::size_t width = std::max(widths[i], display_width(columns_[i].title));
        const std::string padding(width - display_width(content), ' ');
        const bool right = columns_[i].align == alignment::right;
        text += (right ? padding : "") + on.paint(content, colour) + (right ? "" : padding) + std::string(gap, ' ');
    };
    for (std::size_t i = 0; i < columns_.size(); ++i) put(i, columns_[i].title, tone::strong);
    end_line(text);
    for (const auto& row : rows_) {
        for (std::size_t i = 0; i < row.size(); ++i) put(i, row[i].text, row[i].colour);
        end_line(text);
    }
    return text;
}

std::size_t display_width(std::string_view text) noexcept {
    return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
        return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U;  // bytes that do not continue a character
    }));
}

}  // namespace sluice::cli
