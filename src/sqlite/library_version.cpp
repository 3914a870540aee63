#include "sqlite/library_version.hpp"

#include <sqlite3.h>

namespace sluice::sqlite {

int library_version() noexcept { return sqlite3_libversion_number(); }
const char* library_version_text() noexcept { return sqlite3_libversion(); }

bool has_wal_reset_fault(int version) noexcept {
    constexpr int introduced = 3'007'000;
    constexpr int fixed = 3'051'003;
    const auto is_patched = [version](int minor, int patch) {
        return version / 1000 == minor && version % 1000 >= patch;
    };
    return version >= introduced && version < fixed && !is_patched(3'050, 7) && !is_patched(3'044, 6);
}

}  // namespace sluice::sqlite
