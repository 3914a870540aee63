#include "app/compose.hpp"

#include <charconv>
#include <chrono>
#include <filesystem>

#include <sluice/error.hpp>

#include "base/random.hpp"
#ifdef SLUICE_WITH_STORE_MEMORY
#include "store/memory/memory_database.hpp"
#endif
#ifdef SLUICE_WITH_STORE_SQLITE
#include "store/sqlite/sqlite_database.hpp"
#endif
#ifdef SLUICE_WITH_STORE_POSTGRESQL
#include "store/postgresql/postgresql_database.hpp"
#endif
#ifdef SLUICE_WITH_BROKER_INLINE
#include "broker/inline/inline_broker.hpp"
#endif
#ifdef SLUICE_WITH_BROKER_REDIS
#include "broker/redis/redis_broker.hpp"
#endif
#ifdef SLUICE_WITH_BROKER_SQLITE
#include "broker/sqlite/sqlite_broker.hpp"
#endif

namespace sluice::app {

namespace {

using options = std::map<std::string, std::string>;

/// Gives `apply` the value of an option that the file sets. The loader has checked kind and range.
template <class Apply>
void with_whole(const options& given, const char* key, Apply apply) {
    const auto found = given.find(key);
    if (found == given.end()) return;
    std::int64_t value = 0;
    const std::string& text = found->second;
    std::from_chars(text.data(), text.data() + text.size(), value);
    apply(value);
}

bool is_set_to(const options& given, const char* key, const char* word) {
    const auto found = given.find(key);
    return found != given.end() && found->second == word;
}

#ifdef SLUICE_WITH_STORE_SQLITE
std::unique_ptr<store::database> sqlite_database(const config::database_settings& settings) {
    store::sqlite_options chosen{.path = settings.path, .look_only = settings.look_only};
    if (is_set_to(settings.options, "synchronous", "normal")) chosen.synchronous = store::sqlite_synchronous::normal;
    with_whole(settings.options, "busy_timeout_ms",
               [&](std::int64_t value) { chosen.busy_timeout = std::chrono::milliseconds{value}; });
    return store::make_sqlite_database(std::move(chosen));
}
#endif

#ifdef SLUICE_WITH_STORE_POSTGRESQL
std::unique_ptr<store::database> postgresql_database(const config::database_settings& settings) {
    store::postgresql_options chosen{.conninfo = settings.database_uri};
    const options& given = settings.options;
    if (const auto schema = given.find("schema"); schema != given.end()) chosen.schema = schema->second;
    const auto milliseconds = [&given](const char* key, duration& target) {
        with_whole(given, key, [&target](std::int64_t value) { target = std::chrono::milliseconds{value}; });
    };
    with_whole(given, "max_connections",
               [&](std::int64_t value) { chosen.max_connections = static_cast<std::size_t>(value); });
    milliseconds("connect_timeout_ms", chosen.connect_timeout);
    milliseconds("statement_timeout_ms", chosen.statement_timeout);
    milliseconds("lock_timeout_ms", chosen.lock_timeout);
    milliseconds("order_wait_ms", chosen.order_wait);
    chosen.listen_notify = !is_set_to(given, "listen_notify", "false");
    chosen.prepare_statements = !is_set_to(given, "prepare_statements", "false");
    chosen.strict_order = is_set_to(given, "strict_order", "true");
    return store::make_postgresql_database(std::move(chosen));
}
#endif

#ifdef SLUICE_WITH_BROKER_SQLITE
std::unique_ptr<broker::broker> sqlite_broker(const config::broker_settings& settings) {
    broker::sqlite_broker_options chosen{.path = settings.path, .look_only = settings.look_only};
    const options& given = settings.options;
    if (is_set_to(given, "synchronous", "normal")) chosen.synchronous = broker::sqlite_synchronous::normal;
    with_whole(given, "busy_timeout_ms",
               [&](std::int64_t value) { chosen.busy_timeout = std::chrono::milliseconds{value}; });
    with_whole(given, "max_message_bytes",
               [&](std::int64_t value) { chosen.max_message_bytes = static_cast<std::size_t>(value); });
    with_whole(given, "maxlen", [&](std::int64_t value) { chosen.maxlen = value; });
    with_whole(given, "retention_hours", [&](std::int64_t value) { chosen.retention = std::chrono::hours{value}; });
    return broker::make_sqlite_broker(std::move(chosen));
}
#endif

#ifdef SLUICE_WITH_BROKER_REDIS
std::unique_ptr<broker::broker> redis_broker(const config::broker_settings& settings) {
    broker::redis_options chosen{.uri = settings.uri};
    const options& given = settings.options;
    const auto milliseconds = [&given](const char* key, duration& target) {
        with_whole(given, key, [&target](std::int64_t value) { target = std::chrono::milliseconds{value}; });
    };
    const auto count = [&given](const char* key, std::size_t& target) {
        with_whole(given, key, [&target](std::int64_t value) { target = static_cast<std::size_t>(value); });
    };
    const auto file = [&given](const char* key, std::filesystem::path& target) {
        if (const auto path = given.find(key); path != given.end()) target = path->second;
    };
    milliseconds("connect_timeout_ms", chosen.connect_timeout);
    milliseconds("answer_timeout_ms", chosen.answer_timeout);
    count("maxlen", chosen.maxlen);
    count("dead_letter_maxlen", chosen.dead_letter_maxlen);
    count("max_message_bytes", chosen.max_message_bytes);
    file("tls_ca_file", chosen.tls.ca_file);
    file("tls_certificate_file", chosen.tls.certificate_file);
    file("tls_key_file", chosen.tls.key_file);
    chosen.tls.verify = !is_set_to(given, "tls_verify", "false");
    return broker::make_redis_broker(std::move(chosen));
}
#endif

std::shared_ptr<store::database> make_database(const config::database_settings& settings) {
#ifdef SLUICE_WITH_STORE_MEMORY
    if (settings.provider == "memory") return store::make_memory_database(settings.name);
#endif
#ifdef SLUICE_WITH_STORE_SQLITE
    if (settings.provider == "sqlite") return sqlite_database(settings);
#endif
#ifdef SLUICE_WITH_STORE_POSTGRESQL
    if (settings.provider == "postgresql") return postgresql_database(settings);
#endif
    throw configuration_error{"databases." + settings.name + ": provider \"" + settings.provider +
                              "\" is not part of this build"};
}

std::shared_ptr<broker::broker> make_broker(const config::broker_settings& settings) {
#ifdef SLUICE_WITH_BROKER_INLINE
    if (settings.provider == "inline") return broker::make_inline_broker(settings.name);
#endif
#ifdef SLUICE_WITH_BROKER_SQLITE
    if (settings.provider == "sqlite") return sqlite_broker(settings);
#endif
#ifdef SLUICE_WITH_BROKER_REDIS
    if (settings.provider == "redis") return redis_broker(settings);
#endif
    throw configuration_error{"brokers." + settings.name + ": provider \"" + settings.provider +
                              "\" is not part of this build"};
}

}  // namespace

config::providers available_providers() {
    config::providers available;
#ifdef SLUICE_WITH_STORE_MEMORY
    available.databases.emplace_back("memory");
#endif
#ifdef SLUICE_WITH_STORE_POSTGRESQL
    available.databases.emplace_back("postgresql");
#endif
#ifdef SLUICE_WITH_STORE_SQLITE
    available.databases.emplace_back("sqlite");
#endif
#ifdef SLUICE_WITH_BROKER_INLINE
    available.brokers.emplace_back("inline");
#endif
#ifdef SLUICE_WITH_BROKER_REDIS
    available.brokers.emplace_back("redis");
#endif
#ifdef SLUICE_WITH_BROKER_SQLITE
    available.brokers.emplace_back("sqlite");
#endif
    return available;
}

commit::adapters make_adapters(const config::configuration& configuration) {
    commit::adapters made;
    for (const auto& [name, settings] : configuration.databases) made.databases.emplace(name, make_database(settings));
    for (const auto& [name, settings] : configuration.brokers) made.brokers.emplace(name, make_broker(settings));
    return made;
}

std::unique_ptr<commit::environment> compose(const detail::registry& domain, config::configuration configuration) {
    commit::adapters parts = make_adapters(configuration);
    return std::make_unique<commit::environment>(domain, std::move(configuration), std::move(parts), system_clock(),
                                                 base::system_random());
}

}  // namespace sluice::app
