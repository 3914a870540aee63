#pragma once

#include "observe/log.hpp"

namespace sluice::observe {

/// From now on the log of the process has the lines that matter as much as this. Thread safe.
void change_log_threshold(level to);

}  // namespace sluice::observe
