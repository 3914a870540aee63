#pragma once

namespace sluice::sqlite {

/// How hard a commit is pressed onto the disk.
enum class synchronous_mode {
    full,   ///< a commit survives a power cut
    normal  ///< a commit survives a crash of the process; a power cut may take the last ones, never tear one
};

}  // namespace sluice::sqlite
