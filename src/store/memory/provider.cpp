#include "store/memory/provider.hpp"

#include "store/memory/memory_database.hpp"

namespace sluice::store {

namespace {

class memory_kind final : public provider {
public:
    [[nodiscard]] std::string_view name() const override { return "memory"; }
    [[nodiscard]] config::address_use address() const override { return config::address_use::unused; }
    [[nodiscard]] bool is_shared_between_processes() const override { return false; }

    [[nodiscard]] std::unique_ptr<database> make(const config::database_settings& settings) const override {
        return make_memory_database(settings.name);
    }
};

}  // namespace

const provider& memory_provider() {
    static const memory_kind kind;
    return kind;
}

}  // namespace sluice::store
