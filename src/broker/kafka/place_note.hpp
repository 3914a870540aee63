#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::broker::kafka {

/// What is kept beside the committed offset of a group on one partition, in the metadata of the commit.
struct place_note {
    std::string stream;              ///< whose topic it is: a topic's name does not tell
    std::string domain{};            ///< whose group it is
    std::int64_t next = 0;           ///< behind what was handed out
    std::vector<std::int64_t> done;  ///< settled behind the committed offset, ascending
};

/// @param floor  the committed offset
/// What of `done` is too much for a commit (Kafka takes 4,096 bytes) is left out: it comes again.
[[nodiscard]] std::string write_note(const place_note& note, std::int64_t floor);
/// Nothing when the text is none of ours.
[[nodiscard]] std::optional<place_note> read_note(std::string_view text, std::int64_t floor);

}  // namespace sluice::broker::kafka
