#pragma once

#include <string>
#include <string_view>

namespace sluice::commit {

/// The stream of one aggregate, process or command in the log: `{category}-{id}`.
[[nodiscard]] inline std::string stream_of(std::string_view category, std::string_view id) {
    std::string stream;
    stream.reserve(category.size() + 1 + id.size());
    stream += category;
    stream += '-';
    stream += id;
    return stream;
}

}  // namespace sluice::commit
