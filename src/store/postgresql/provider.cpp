#include "store/postgresql/provider.hpp"

#include <array>
#include <map>

#include "base/address_text.hpp"
#include "config/address_warnings.hpp"
#include "config/option_table.hpp"

namespace sluice::store {

namespace {

using option_table = config::option_table<postgresql_options>;
using address_settings = std::map<std::string, std::string, std::less<>>;

constexpr std::int64_t most_connections = 10'000;
constexpr std::int64_t longest_connect_ms = 600'000;
constexpr std::int64_t longest_statement_ms = 3'600'000;
constexpr std::int64_t longest_order_wait_ms = 60'000;

const option_table& table() {
    using options = postgresql_options;
    static const option_table keys =
        option_table{}
            .text("schema", &options::schema, "Where the tables are")
            .whole("max_connections", &options::max_connections, 1, most_connections,
                   "Most connections of one process to this database")
            .milliseconds("connect_timeout_ms", &options::connect_timeout, 1, longest_connect_ms,
                          "How long connecting may take")
            .milliseconds("statement_timeout_ms", &options::statement_timeout, 1, longest_statement_ms,
                          "How long a statement may take before the server cancels it")
            .milliseconds("lock_timeout_ms", &options::lock_timeout, 1, longest_statement_ms,
                          "How long a statement waits for another transaction's lock")
            .milliseconds("order_wait_ms", &options::order_wait, 0, longest_order_wait_ms,
                          "How long a lane waits below a number that a running transaction may still fill")
            .flag("listen_notify", &options::listen_notify, "Whether lanes are woken by commits of other processes")
            .flag("prepare_statements", &options::prepare_statements, "Whether statements are prepared")
            .flag("strict_order", &options::strict_order,
                  "Whether a lane waits for a running transaction without limit");
    return keys;
}

std::string setting(const address_settings& settings, std::string_view key) {
    const auto at = settings.find(key);
    return at == settings.end() ? std::string{} : at->second;
}

std::vector<std::string> split_list(std::string_view text) {
    std::vector<std::string> parts;
    for (;;) {
        const auto end = text.find(',');
        parts.emplace_back(text.substr(0, end));
        if (end == std::string_view::npos) return parts;
        text.remove_prefix(end + 1);
    }
}

std::vector<std::string> far_hosts(const address_settings& settings) {
    auto hosts = split_list(setting(settings, "host"));
    if (hosts.size() == 1 && hosts.front().empty()) hosts = split_list(setting(settings, "hostaddr"));
    std::erase_if(hosts, config::is_near);
    return hosts;
}

/// Of a connection to another machine.
std::vector<config::address_warning> check_encryption(const address_settings& settings, const std::string& host) {
    const std::string mode = setting(settings, "sslmode");
    const std::string remedy =
        "add sslmode=verify-full, and sslrootcert=FILE when the authority is not one of the system's";
    const std::string how = "sslmode=" + mode + " to " + host;
    if (mode == "verify-full") return {};
    if (mode == "require") return {config::unverified_server(how, remedy)};
    if (mode == "verify-ca") {
        return {{.code = "UNVERIFIED_SERVER",
                 .message = how + " takes every certificate of the authority, whatever host it is for",
                 .remedy = remedy}};
    }
    return {config::plain_text(host, settings.contains("password"), remedy)};
}

class postgresql_kind final : public provider {
public:
    [[nodiscard]] std::string_view name() const override { return "postgresql"; }
    [[nodiscard]] config::address_use address() const override { return config::address_use::server; }
    [[nodiscard]] std::span<const config::provider_option> options() const override { return table().options(); }
    [[nodiscard]] std::span<const std::string_view> file_parameters() const override {
        using namespace std::string_view_literals;
        static constexpr std::array keys{"sslrootcert"sv, "sslcert"sv,   "sslkey"sv,
                                         "sslcrl"sv,      "sslcrldir"sv, "passfile"sv};
        return keys;
    }
    [[nodiscard]] bool needs_setup() const override { return true; }

    [[nodiscard]] std::vector<config::address_warning> check_address(
        const config::configured_address& at) const override {
        const auto settings = base::read_settings(at.text);
        if (!settings) return {config::ambiguous_address(at.key)};
        const auto far = far_hosts(*settings);
        return far.empty() ? std::vector<config::address_warning>{} : check_encryption(*settings, far.front());
    }

    /// Of the hosts that a connection string names libpq takes the first that answers, unless it is told which to take.
    [[nodiscard]] bool takes_any_of_several_hosts(std::string_view address) const override {
        const auto settings = base::read_settings(address);
        if (!settings || settings->contains("target_session_attrs")) return false;
        const auto lists = [&](std::string_view key) { return setting(*settings, key).find(',') != std::string::npos; };
        return lists("host") || lists("hostaddr");
    }

    [[nodiscard]] config::number_order order(const config::option_texts& options) const override {
        const postgresql_options chosen = table().read(options);
        if (chosen.strict_order) return {.strict = true};
        return {.wait = std::chrono::duration_cast<std::chrono::milliseconds>(chosen.order_wait)};
    }

    [[nodiscard]] std::optional<std::size_t> most_connections(const config::option_texts& options) const override {
        return table().read(options).max_connections;
    }

    [[nodiscard]] std::unique_ptr<database> make(const config::database_settings& settings) const override {
        return make_postgresql_database(read_postgresql_options(settings));
    }
};

}  // namespace

const provider& postgresql_provider() {
    static const postgresql_kind kind;
    return kind;
}

postgresql_options read_postgresql_options(const config::database_settings& settings) {
    return table().read(settings.options, {.conninfo = settings.database_uri});
}

}  // namespace sluice::store
