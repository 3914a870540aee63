#include "broker/sqlite/provider.hpp"

#include "broker/sqlite/sqlite_broker.hpp"
#include "config/option_table.hpp"

namespace sluice::broker {

namespace {

using option_table = config::option_table<sqlite_broker_options>;

constexpr std::int64_t longest_wait_ms = 600'000;
constexpr std::int64_t ten_years_in_hours = 87'600;
constexpr std::int64_t most_messages = 1'000'000'000;
constexpr std::int64_t least_limit_bytes = 1024;
constexpr std::int64_t most_limit_bytes = 1'000'000'000;

const option_table& table() {
    static const option_table keys =
        option_table{}
            .choice<sqlite_synchronous>("synchronous", &sqlite_broker_options::synchronous,
                                        {{"full", sqlite_synchronous::full}, {"normal", sqlite_synchronous::normal}},
                                        "When a message counts as delivered")
            .milliseconds("busy_timeout_ms", &sqlite_broker_options::busy_timeout, 0, longest_wait_ms,
                          "How long to wait for another process's write")
            .hours("retention_hours", &sqlite_broker_options::retention, 0, ten_years_in_hours,
                   "Age at which messages may be removed")
            .whole("maxlen", &sqlite_broker_options::maxlen, 0, most_messages, "Messages kept per stream")
            .whole("max_message_bytes", &sqlite_broker_options::max_message_bytes, least_limit_bytes, most_limit_bytes,
                   "Size of the largest message; a larger one is refused for good");
    return keys;
}

class sqlite_kind final : public provider {
public:
    [[nodiscard]] std::string_view name() const override { return "sqlite"; }
    [[nodiscard]] config::address_use address() const override { return config::address_use::file; }
    [[nodiscard]] std::span<const config::provider_option> options() const override { return table().options(); }
    [[nodiscard]] std::size_t largest_message(const config::option_texts& options) const override {
        return table().read(options).max_message_bytes;
    }

    [[nodiscard]] std::unique_ptr<broker> make(const config::broker_settings& settings) const override {
        return make_sqlite_broker(
            table().read(settings.options, {.path = settings.path, .look_only = settings.look_only}));
    }
};

}  // namespace

const provider& sqlite_provider() {
    static const sqlite_kind kind;
    return kind;
}

}  // namespace sluice::broker
