#include "store/memory/memory_data.hpp"

namespace sluice::store::memory {

void memory_data::tell_lanes() {
    ++news;
    for (auto* sleeper : sleepers) sleeper->notify();
}

}  // namespace sluice::store::memory
