#pragma once

#include <filesystem>

namespace sluice::testing {

/// A fresh directory that is removed with everything in it, unless it is kept.
class temporary_directory {
public:
    temporary_directory();
    temporary_directory(const temporary_directory&) = delete;
    temporary_directory& operator=(const temporary_directory&) = delete;
    ~temporary_directory();

    /// Leaves the directory for somebody to look into, and prints where it is.
    void keep() noexcept;

    [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }
    [[nodiscard]] std::filesystem::path operator/(const std::filesystem::path& name) const { return path_ / name; }

private:
    std::filesystem::path path_;
    bool kept_ = false;
};

}  // namespace sluice::testing
