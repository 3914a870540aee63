#include "common/scratch.hpp"

#include <stdlib.h>

#include <stdexcept>
#include <string>
#include <system_error>

namespace sluice::bench {

scratch::scratch(const std::filesystem::path& parent) {
    std::string pattern = (parent / "sluice-bench-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error{"cannot make a directory in " + parent.string()};
    path_ = pattern;
}

scratch::~scratch() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
}

}  // namespace sluice::bench
