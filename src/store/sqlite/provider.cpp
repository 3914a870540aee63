#include "store/sqlite/provider.hpp"

#include "config/option_table.hpp"
#include "store/sqlite/sqlite_database.hpp"

namespace sluice::store {

namespace {

using option_table = config::option_table<sqlite_options>;

constexpr std::int64_t longest_wait_ms = 600'000;

const option_table& table() {
    static const option_table keys =
        option_table{}
            .choice<sqlite_synchronous>("synchronous", &sqlite_options::synchronous,
                                        {{"full", sqlite_synchronous::full}, {"normal", sqlite_synchronous::normal}},
                                        "When a commit counts as done")
            .milliseconds("busy_timeout_ms", &sqlite_options::busy_timeout, 0, longest_wait_ms,
                          "How long a write waits for another process's write");
    return keys;
}

class sqlite_kind final : public provider {
public:
    [[nodiscard]] std::string_view name() const override { return "sqlite"; }
    [[nodiscard]] config::address_use address() const override { return config::address_use::file; }
    [[nodiscard]] std::span<const config::provider_option> options() const override { return table().options(); }
    [[nodiscard]] bool is_built_in() const override { return true; }

    [[nodiscard]] std::unique_ptr<database> make(const config::database_settings& settings) const override {
        return make_sqlite_database(
            table().read(settings.options, {.path = settings.path, .look_only = settings.look_only}));
    }
};

}  // namespace

const provider& sqlite_provider() {
    static const sqlite_kind kind;
    return kind;
}

}  // namespace sluice::store
