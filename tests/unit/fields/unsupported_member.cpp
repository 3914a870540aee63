// Must not compile, and the compiler must name the struct and the type of the member.
#include <sluice/codec.hpp>

namespace shop {
struct OrderShipped {
    sluice::identifier order_id;
    const char* note = nullptr;
};
}  // namespace shop

std::string encode(const shop::OrderShipped& event) { return sluice::codec::encode(event); }
