#pragma once

#include <sys/types.h>

#include <filesystem>
#include <optional>
#include <string>

namespace sluice::sqlite {

/// Which file it is, whatever it is called: two files of one name, one after the other, differ.
struct file_identity {
    dev_t device = 0;
    ino_t number = 0;

    /// Of the file, or directory, that is at the path now; empty when there is none.
    [[nodiscard]] static std::optional<file_identity> at(const std::filesystem::path& path) noexcept;

    friend bool operator==(const file_identity&, const file_identity&) = default;
};

/// `device:number`.
[[nodiscard]] std::string to_string(const file_identity& file);

}  // namespace sluice::sqlite
