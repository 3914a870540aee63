#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <sluice/subscription_options.hpp>
#include <sluice/time.hpp>

#include "config/provider.hpp"
#include "envelope/partner_terms.hpp"

namespace sluice::config {

/// `[databases.NAME]`
struct database_settings {
    std::string name;
    std::string provider;      ///< its name: sqlite
    std::string database_uri;  ///< as configured after substitution; may hold a password: never print it
    std::string path;          ///< of a file-based provider: absolute, relative ones resolved from the file's directory
    option_texts options;      ///< the provider's own keys, checked, with their defaults
    bool look_only = false;    ///< the caller looks and writes nothing: files that cannot be written will do
    bool built_in = false;     ///< the file configures no database: this one is named after the domain
    const database_provider* kind = nullptr;  ///< what the provider is like; the loader always sets it
};

/// `[brokers.NAME]`
struct broker_settings {
    std::string name{};
    std::string provider{};  ///< its name: redis
    std::string uri{};       ///< key `URI`; may hold a password: never print it
    std::string path{};      ///< of a file-based provider: absolute
    option_texts options{};
    bool look_only = false;                 ///< as above
    const broker_provider* kind = nullptr;  ///< as above
};

/// `[outbox.retry]` (durations in seconds in the file)
struct retry_settings {
    int max_attempts = 3;
    double base_delay_seconds = 60;
    double max_backoff_seconds = 3600;
    double backoff_multiplier = 2;
    bool jitter = true;
    double jitter_factor = 0.25;
    double closed_stream_hours = 168;
};

/// `[outbox.cleanup]`
struct cleanup_settings {
    double published_retention_hours = 168;
    double abandoned_retention_hours = 720;
    double interval_seconds = 3600;
    std::size_t batch_size = 5000;
};

/// `[outbox.lanes.NAME]`
struct lane_options {
    int shards = 1;                         ///< over how many lanes the streams are spread
    std::size_t max_message_bytes = 0;      ///< 0: what the broker takes
    double rate_limit = 0;                  ///< events per second, over all shards; 0: as many as can be sent
    std::optional<retry_settings> retry{};  ///< none: as `[outbox.retry]`

    // Of an external broker.
    std::string stream = "{stream_category}";          ///< where the messages go, an envelope/text_template.hpp
    std::optional<std::vector<std::string>> events{};  ///< patterns of the published events that go there; none: all
    std::optional<std::vector<std::string>> aggregates{};  ///< the same by their aggregates
    envelope::partner_terms terms{};
};

/// `[outbox]`
struct outbox_settings {
    std::string broker = "default";
    std::vector<std::string> external_brokers;
    std::size_t messages_per_tick = 50;
    std::size_t bytes_per_tick = 8'388'608;  ///< of data and metadata in a batch; one message in any case
    double tick_interval = 1;                ///< seconds; fallback poll
    double lease_seconds = 15;               ///< how long a silent lane owner keeps its lane
    double publish_timeout_seconds = 10;
    double max_probe_interval_seconds = 30;  ///< cap of the probe backoff while a broker is unreachable
    retry_settings retry;
    cleanup_settings cleanup;
    std::map<std::string, lane_options> lanes;  ///< by broker, where the file says something

    [[nodiscard]] lane_options lane_of(const std::string& of_broker) const {
        const auto found = lanes.find(of_broker);
        return found == lanes.end() ? lane_options{} : found->second;
    }
    [[nodiscard]] int shards_of(const std::string& of_broker) const { return lane_of(of_broker).shards; }
    [[nodiscard]] retry_settings retry_of(const std::string& of_broker) const {
        return lane_of(of_broker).retry.value_or(retry);
    }
};

/// `[server.priority_lanes]`
struct priority_lane_settings {
    bool enabled = false;
    int threshold = 0;
    std::string backfill_suffix = "backfill";
};

/// How one subscription reads and handles, after everything was decided (config/subscription_resolution.hpp). The
/// values here are what holds when nobody says anything.
struct subscription_settings {
    std::size_t messages_per_tick = 100;
    std::size_t bytes_per_tick = 8'388'608;  ///< of messages read at once; one message in any case
    int max_retries = 3;                     ///< attempts in total before the dead letters
    double retry_delay_seconds = 1;          ///< first delay; doubles each time
    double max_retry_delay_seconds = 60;
    double claim_seconds = 30;                 ///< a silent consumer's messages may be taken over after this time
    std::size_t max_held = 1000;               ///< messages held back in memory behind failing ones
    std::size_t max_held_bytes = 67'108'864;   ///< of them and of those in hand
    std::size_t concurrency = 1;               ///< messages of different keys that are handled side by side
    std::size_t messages_per_transaction = 1;  ///< most messages of different keys that commit together
    bool enable_dlq = true;                    ///< false: what was tried `max_retries` times is dropped with a log line
    int circuit_breaker_threshold = 10;        ///< failing messages in a row that open the breaker; 0: no breaker
    double circuit_breaker_reset_seconds = 60;  ///< how long an open breaker reads nothing
};

/// `[server.health]`
struct health_settings {
    bool enabled = true;
    std::string host = "127.0.0.1";   ///< name or address to listen on
    int port = 8080;                  ///< 0: any free one
    bool port_auto_increment = true;  ///< false by default when the file names a port
    double drain_delay_seconds = 0;   ///< between `/readyz` 503 and the end of the work
};

/// `[server.version_retry]`: a unit whose aggregates somebody else has changed meanwhile
struct version_retry_settings {
    bool enabled = true;
    int max_retries = 10;
    double base_delay_seconds = 0.05;  ///< before the second retry; doubles each time. The first one does not wait
    double max_delay_seconds = 1;
};

enum class delay_growth { exponential, linear, fixed };

/// `[server.transient_retry]`: a unit that failed for another reason that may pass
struct transient_retry_settings {
    bool enabled = false;
    int max_retries = 3;
    delay_growth backoff = delay_growth::exponential;
    double base_delay_seconds = 0.1;
    double max_delay_seconds = 5;
};

/// `[server]`
struct server_settings {
    double shutdown_seconds = 10;       ///< bound of the drain on SIGTERM
    subscription_options subscription;  ///< `[server.subscription]`: the keys that the file sets, and no others
    /// `[server.subscriptions.NAME]`, by the name as written: a handler's class, its last part, or `commands`
    std::map<std::string, subscription_options> subscriptions;
    std::map<std::string, subscription_options>
        profiles;                              ///< `[server.profiles.NAME]`, with what they inherit; lower case
    std::string default_subscription_profile;  ///< empty: none
    version_retry_settings version_retry;
    transient_retry_settings transient_retry;
    priority_lane_settings priority_lanes;
    health_settings health;
};

/// `[event_sourcing]`
struct event_sourcing_settings {
    std::size_t snapshot_every = 100;  ///< events of an aggregate between its snapshots; 0: none are written
};

/// `[inbox]`
struct inbox_settings {
    double retention_hours = 168;
};

/// `[commands]`
struct command_settings {
    std::optional<double> default_timeout_seconds;  ///< of submitted commands that name no deadline
    double idempotency_retention_hours = 24;        ///< how long the result of a command with a key is kept
    double failure_retention_seconds = 60;          ///< how long its error is kept
};

/// `[log]`
struct log_section {
    std::string level = "info";
    std::string format = "text";
};

/// `[telemetry]`: spans and metrics by OTLP
struct telemetry_settings {
    bool enabled = false;
    std::string endpoint = "http://localhost:4318";  ///< `/v1/traces` and `/v1/metrics` are below it; holds no secret
    std::map<std::string, std::string> headers;      ///< of every request; secrets: never print a value
    std::string service_name;                        ///< empty: the domain's
    std::map<std::string, std::string> resource;     ///< more attributes of the process
    bool traces = true;
    bool metrics = true;
    std::string sampler = "parentbased_always_on";
    double sampling_ratio = 1;  ///< of the samplers with `traceidratio`
    double timeout_seconds = 10;
    double delay_seconds = 5;  ///< how long a span may wait for others
    std::size_t max_queued_spans = 8192;
    std::size_t max_batch_spans = 512;
    double metrics_interval_seconds = 60;
    double shutdown_seconds = 2;  ///< for what is left at the end
    std::string tls_ca_file{};    ///< absolute
    std::string tls_certificate_file{};
    std::string tls_key_file{};
};

/// `[console]`: what the port that serves the console proves to be.
struct console_tls_settings {
    std::string certificate_file{};  ///< absolute; empty: the console is served without TLS
    std::string key_file{};

    [[nodiscard]] bool is_on() const noexcept { return !certificate_file.empty(); }
};

/// domain.toml after substitution and overlay, every value checked. Defaults here are the documented ones.
struct configuration {
    std::string file;             ///< path it was read from, empty for defaults
    std::string environment;      ///< value of SLUICE_ENV, may be empty
    bool holds_password = false;  ///< the file itself does, not a variable
    std::map<std::string, database_settings> databases;
    std::map<std::string, broker_settings> brokers;
    outbox_settings outbox;
    server_settings server;
    event_sourcing_settings event_sourcing;
    command_settings commands;
    inbox_settings inbox;
    log_section log;
    telemetry_settings telemetry;
    console_tls_settings console_tls;
};

}  // namespace sluice::config
