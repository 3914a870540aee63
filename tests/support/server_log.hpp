#pragma once

#include <filesystem>

namespace sluice::testing {

/// Shows, at the first failure of the running test, the last lines that a server has written to this log since now:
/// what it did then is gone when somebody reads of the failure.
///
/// Thread safety: any thread, as long as no test ends meanwhile.
void show_on_failure(const std::filesystem::path& log);

}  // namespace sluice::testing
