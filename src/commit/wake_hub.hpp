#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/wake.hpp"

namespace sluice::commit {

/// Tells the lanes of a database, inside this process, that something was committed.
///
/// Thread safety: all members may be called concurrently. A signal must be forgotten before it is destroyed.
class wake_hub {
public:
    /// Keeps a lane's signal registered while it lives.
    class registration {
    public:
        registration(wake_hub& hub, std::string database, base::wake_signal& signal);
        registration(const registration&) = delete;
        registration& operator=(const registration&) = delete;
        ~registration();

    private:
        wake_hub& hub_;
        std::string database_;
        base::wake_signal& signal_;
    };

    void wake(std::string_view database) noexcept;

private:
    std::mutex mutex_;
    std::map<std::string, std::vector<base::wake_signal*>, std::less<>> signals_;
};

}  // namespace sluice::commit
