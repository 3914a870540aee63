#pragma once

#include <sys/types.h>

namespace sluice::testing {

/// Before the bytes that were there, in the note of a file.
struct power_cut_note {
    off_t at;
    off_t length;
    off_t file_size;  ///< before the change
};

}  // namespace sluice::testing
