#include "broker/hand_out.hpp"

namespace sluice::broker {

hand_out_step hand_out::pending(std::string_view key, holder by, std::size_t bytes) {
    switch (by) {
        case holder::reader:
            return hand_out_step::leave;
        case holder::somebody_else:
            if (!key.empty()) busy_keys_.emplace(key);
            return hand_out_step::leave;
        case holder::nobody:
            break;
    }
    if (!busy(key)) return take(bytes);
    ++parked_;
    return hand_out_step::leave;
}

hand_out_step hand_out::fresh(std::string_view key, std::size_t bytes) {
    if (!busy(key)) return take(bytes);
    if (parked_ >= max_parked_) return hand_out_step::stop;
    ++parked_;
    return hand_out_step::park;
}

hand_out_step hand_out::take(std::size_t bytes) {
    if (taken_ == limit_) return hand_out_step::stop;
    const bool has_room = max_bytes_ == 0 || (bytes_ < max_bytes_ && bytes <= max_bytes_ - bytes_);
    if (taken_ > 0 && !has_room) return hand_out_step::stop;
    ++taken_;
    bytes_ += bytes;
    return hand_out_step::take;
}

}  // namespace sluice::broker
