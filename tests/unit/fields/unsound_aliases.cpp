// Must not compile: each of these lists promises something that the codec could not keep.
#include <sluice/codec.hpp>

namespace shop {

struct OrderShipped {
#if defined(NEW_NAME_IS_NO_MEMBER)
    static constexpr auto aliases = sluice::aliases({{"shipped", "shipped_on"}});
#elif defined(OLD_NAME_IS_A_MEMBER)
    static constexpr auto aliases = sluice::aliases({{"order_id", "shipped_at"}});
#elif defined(OLD_NAME_LEADS_TO_TWO)
    static constexpr auto aliases = sluice::aliases({{"key", "shipped_at"}, {"key", "order_id"}});
#elif defined(NO_LIST)
    static constexpr const char* aliases = "shipped";
#endif
    sluice::identifier order_id;
    sluice::date_time shipped_at;
};

}  // namespace shop

shop::OrderShipped decode(const sluice::json::value& from) { return sluice::codec::decode<shop::OrderShipped>(from); }
