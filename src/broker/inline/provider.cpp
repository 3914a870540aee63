#include "broker/inline/provider.hpp"

#include "broker/inline/inline_broker.hpp"

namespace sluice::broker {

namespace {

class inline_kind final : public provider {
public:
    [[nodiscard]] std::string_view name() const override { return "inline"; }
    [[nodiscard]] config::address_use address() const override { return config::address_use::unused; }
    [[nodiscard]] bool is_shared_between_processes() const override { return false; }

    [[nodiscard]] std::unique_ptr<broker> make(const config::broker_settings& settings) const override {
        return make_inline_broker(settings.name);
    }
};

}  // namespace

const provider& inline_provider() {
    static const inline_kind kind;
    return kind;
}

}  // namespace sluice::broker
