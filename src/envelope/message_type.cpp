#include <charconv>
#include <utility>

#include <sluice/message.hpp>

namespace sluice {

namespace {

/// The number of a trailing `v3`; 0 when the segment is no version.
int version_of(std::string_view segment) {
    if (segment.size() < 2 || segment.front() != 'v') return 0;
    int version = 0;
    const auto* const end = segment.data() + segment.size();
    const auto [stop, problem] = std::from_chars(segment.data() + 1, end, version);
    return problem == std::errc{} && stop == end && version > 0 ? version : 0;
}

}  // namespace

message_type::message_type(std::string text) : text_{std::move(text)} {
    std::string_view rest{text_};
    if (const auto dot = rest.rfind('.'); dot != std::string_view::npos) {
        if (const int version = version_of(rest.substr(dot + 1)); version > 0) {
            version_ = version;
            rest = rest.substr(0, dot);
        }
    }
    const auto dot = rest.rfind('.');
    name_begin_ = dot == std::string_view::npos ? 0 : dot + 1;
    name_size_ = rest.size() - name_begin_;
}

std::string_view message_type::domain() const noexcept {
    return name_begin_ == 0 ? std::string_view{} : std::string_view{text_}.substr(0, name_begin_ - 1);
}

std::string_view message_type::name() const noexcept { return std::string_view{text_}.substr(name_begin_, name_size_); }

}  // namespace sluice
