#include "base/sha256.hpp"
#include "envelope/envelope.hpp"

namespace sluice::envelope {

std::string checksum_of(const json::value& data) { return base::sha256_hex(json::dump(data, json::style::canonical)); }

}  // namespace sluice::envelope
