#include "config/file_name.hpp"

namespace sluice::config {

void read_file_name(section& in, std::string_view key, const std::filesystem::path& base_directory, std::string& file) {
    std::string name;
    in.text(key, name);
    if (name.empty()) return;
    file = (base_directory / name).lexically_normal().string();
    in.resolve(key, file);
}

}  // namespace sluice::config
