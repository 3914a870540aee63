#include <sluice/plugin.hpp>

// What a domain library shows that was compiled with the headers of another release.
extern "C" __attribute__((visibility("default"))) const sluice::plugin_entry* sluice_plugin_entry() {
    static constexpr sluice::plugin_entry entry{sluice::plugin_magic, "99.1.0", nullptr};
    return &entry;
}
