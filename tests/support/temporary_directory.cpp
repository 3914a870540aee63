#include "support/temporary_directory.hpp"

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <system_error>

namespace sluice::testing {

temporary_directory::temporary_directory() {
    std::string name = std::filesystem::temp_directory_path() / "sluice-test-XXXXXX";
    if (::mkdtemp(name.data()) == nullptr) throw std::system_error{errno, std::generic_category(), "mkdtemp " + name};
    path_ = name;
}

temporary_directory::~temporary_directory() {
    if (kept_) return;
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
}

void temporary_directory::keep() noexcept {
    if (!kept_) std::printf("everything is kept in %s\n", path_.c_str());
    kept_ = true;
}

}  // namespace sluice::testing
