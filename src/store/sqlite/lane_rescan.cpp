#include "store/sqlite/lane_rescan.hpp"

namespace sluice::store::sqlite {

void lane_rescan::begin_at(std::string_view broker, sequence first) {
    std::vector<std::string> lanes;
    for (auto found = lanes_.query(); found.next();) {
        if (broker_of(found.view(0)) == broker) lanes.push_back(found.text(0));
    }
    for (const auto& lane : lanes) lower_.run(lane, first - 1);
}

}  // namespace sluice::store::sqlite
