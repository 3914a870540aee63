#include "envelope/payload.hpp"

#include "envelope/envelope.hpp"

namespace sluice::envelope {

const json::value& payload::value() const {
    if (!value_) value_ = json::parse(text_);
    return *value_;
}

const std::string& payload::checksum() const {
    if (checksum_.empty()) checksum_ = checksum_of(value());
    return checksum_;
}

}  // namespace sluice::envelope
