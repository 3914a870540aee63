#include "config/setting.hpp"

namespace sluice::config {

const char* to_string(origin from) noexcept {
    switch (from) {
        case origin::profile:
            return "profile";
        case origin::file:
            return "file";
        case origin::overlay:
            return "overlay";
        case origin::built_in:
            break;
    }
    return "built-in";
}

}  // namespace sluice::config
