#include "sqlite/file_identity.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

namespace sluice::sqlite {

std::optional<file_identity> file_identity::at(const std::filesystem::path& path) noexcept {
    struct stat found {};
    if (::stat(path.c_str(), &found) != 0) return std::nullopt;
    return file_identity{.device = found.st_dev, .number = found.st_ino};
}

std::string to_string(const file_identity& file) { return fmt::format("{}:{}", file.device, file.number); }

}  // namespace sluice::sqlite
