#include "broker/hand_out.hpp"

namespace sluice::broker {

hand_out_step hand_out::pending(std::string_view key, holder by) {
    switch (by) {
        case holder::reader:
            return hand_out_step::leave;
        case holder::somebody_else:
            if (!key.empty()) busy_keys_.emplace(key);
            return hand_out_step::leave;
        case holder::nobody:
            break;
    }
    if (!busy(key)) return take();
    ++parked_;
    return hand_out_step::leave;
}

hand_out_step hand_out::fresh(std::string_view key) {
    if (!busy(key)) return take();
    if (parked_ >= max_parked_) return hand_out_step::stop;
    ++parked_;
    return hand_out_step::park;
}

hand_out_step hand_out::take() {
    if (taken_ == limit_) return hand_out_step::stop;
    ++taken_;
    return hand_out_step::take;
}

}  // namespace sluice::broker
