#include "broker/redis/journal.hpp"

#include <algorithm>
#include <charconv>

namespace sluice::broker::redis {
namespace {

/// A number and the mark behind it; both are taken from the text.
template <class Number>
bool take_number(std::string_view& text, char mark, Number& number) {
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (failure != std::errc{} || end == text.data() + text.size() || *end != mark) return false;
    text.remove_prefix(static_cast<std::size_t>(end - text.data()) + 1);
    return true;
}

}  // namespace

std::string journal_field(std::uint64_t page_number) { return "b" + std::to_string(page_number % journal_pages); }

void journal_writer::add(std::string_view stream, std::string_view message_id) {
    if (stream != stream_) {
        stream_ = stream;
        write('S', stream);
    }
    write('M', message_id);
}

void journal_writer::write(char mark, std::string_view text) {
    text_ += mark;
    text_ += std::to_string(text.size());
    text_ += ':';
    text_ += text;
}

std::optional<journal_page> read_journal_page(std::string_view text) {
    journal_page page;
    if (!take_number(text, '\n', page.number)) return std::nullopt;
    std::string_view stream;
    while (!text.empty()) {
        const char mark = text.front();
        text.remove_prefix(1);
        std::size_t size = 0;
        if (!take_number(text, ':', size) || size > text.size()) return std::nullopt;
        const auto content = text.substr(0, size);
        text.remove_prefix(size);
        if (mark == 'S') {
            stream = content;
        } else if (mark == 'M') {
            page.items.push_back({std::string{stream}, std::string{content}});
        } else {
            return std::nullopt;
        }
    }
    return page;
}

void recollection::remember(std::string_view stream, std::string_view message_id, std::string_view entry) {
    auto& of_stream = known_.try_emplace(std::string{stream}).first->second;
    auto& known = of_stream.try_emplace(std::string{message_id}).first->second;
    if (known.empty()) known = entry;
}

const std::string* recollection::find(std::string_view stream, std::string_view message_id) const {
    const auto of_stream = known_.find(stream);
    if (of_stream == known_.end()) return nullptr;
    const auto message = of_stream->second.find(message_id);
    return message == of_stream->second.end() ? nullptr : &message->second;
}

bool recollection::misses_entries_of(std::string_view stream) const {
    const auto of_stream = known_.find(stream);
    return of_stream != known_.end() &&
           std::ranges::any_of(of_stream->second, [](const auto& each) { return each.second.empty(); });
}

void recollection::forget_without_entries(std::string_view stream) {
    if (const auto of_stream = known_.find(stream); of_stream != known_.end()) {
        std::erase_if(of_stream->second, [](const auto& each) { return each.second.empty(); });
    }
}

}  // namespace sluice::broker::redis
