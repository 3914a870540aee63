#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <string>

#include "observe/log.hpp"

namespace sluice::testing {

/// What is logged while this object lives. The log is written by a thread, so both ends wait for what is on its way.
class captured_log {
public:
    captured_log() {
        observe::flush_log(std::chrono::seconds{20});
        ::testing::internal::CaptureStderr();
    }
    captured_log(const captured_log&) = delete;
    captured_log& operator=(const captured_log&) = delete;
    ~captured_log() {
        if (!taken_) static_cast<void>(text());
    }

    /// Ends the capture. Once.
    [[nodiscard]] std::string text() {
        taken_ = true;
        observe::flush_log(std::chrono::seconds{20});
        return ::testing::internal::GetCapturedStderr();
    }

private:
    bool taken_ = false;
};

}  // namespace sluice::testing
