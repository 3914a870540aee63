#pragma once

#include <filesystem>
#include <string_view>

namespace sluice::bench {

/// A directory that vanishes with its owner.
class scratch {
public:
    explicit scratch(const std::filesystem::path& parent);
    scratch(const scratch&) = delete;
    scratch& operator=(const scratch&) = delete;
    ~scratch();

    [[nodiscard]] std::filesystem::path operator/(std::string_view name) const { return path_ / name; }
    [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }

private:
    std::filesystem::path path_;
};

}  // namespace sluice::bench
