#include "config/telemetry_section.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "config/file_name.hpp"

namespace sluice::config {

namespace {

constexpr double longest_wait = 3600;

const std::vector<std::string>& samplers() {
    static const std::vector<std::string> words{
        "parentbased_always_on", "parentbased_always_off", "parentbased_traceidratio", "always_on", "always_off",
        "traceidratio"};
    return words;
}

/// What no URL of a receiver has; nothing when it is one.
std::string objection_to(std::string_view endpoint) {
    std::string_view rest = endpoint;
    if (rest.starts_with("https://")) {
        rest.remove_prefix(8);
    } else if (rest.starts_with("http://")) {
        rest.remove_prefix(7);
    } else {
        return "is no URL that begins with http:// or https://";
    }
    if (rest.empty() || rest.starts_with('/') || rest.starts_with(':')) return "names no host";
    if (rest.find('@') != std::string_view::npos) return "holds a user or a password";
    if (rest.find_first_of("?#") != std::string_view::npos) return "holds more than scheme, host, port and path";
    const bool is_visible = std::ranges::all_of(rest, [](char c) { return c > ' ' && c < '\x7F'; });
    return is_visible ? "" : "holds spaces or characters outside of ASCII";
}

bool is_token(std::string_view name) {
    constexpr std::string_view marks = "!#$%&'*+-.^_`|~";
    return !name.empty() && std::ranges::all_of(name, [&](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               marks.find(c) != std::string_view::npos;
    });
}

std::string lower(std::string_view text) {
    std::string result{text};
    std::ranges::transform(result, result.begin(),
                           [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
    return result;
}

void read_headers(section in, std::map<std::string, std::string>& headers) {
    for (const std::string& name : in.keys()) {
        std::string value;
        in.text(name, value, sensitivity::secret);
        static constexpr std::array<std::string_view, 5> ours{"content-type", "content-length", "host",
                                                              "transfer-encoding", "connection"};
        if (!is_token(name)) {
            in.report(name, "is no name of an HTTP header", "use letters, digits and -");
        } else if (std::ranges::find(ours, lower(name)) != ours.end()) {
            in.report(name, "is set by Sluice itself", "remove it");
        } else if (std::ranges::any_of(value, [](char c) { return (c >= 0 && c < ' ') || c == '\x7F'; })) {
            in.report(name, "holds a control character", "give it without line breaks");
        }
        headers[name] = std::move(value);
    }
    in.refuse_unknown();
}

/// One variable of OpenTelemetry and the key that it stands for.
struct known_variable {
    enum class form { text, milliseconds, exporter, pairs };
    std::string_view name;
    std::string_view key;
    form is = form::text;
};

constexpr std::array<known_variable, 15> known_variables{{
    {"OTEL_EXPORTER_OTLP_ENDPOINT", "endpoint"},
    {"OTEL_EXPORTER_OTLP_HEADERS", "headers", known_variable::form::pairs},
    {"OTEL_EXPORTER_OTLP_TIMEOUT", "timeout_seconds", known_variable::form::milliseconds},
    {"OTEL_EXPORTER_OTLP_CERTIFICATE", "tls_ca_file"},
    {"OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE", "tls_certificate_file"},
    {"OTEL_EXPORTER_OTLP_CLIENT_KEY", "tls_key_file"},
    {"OTEL_SERVICE_NAME", "service_name"},
    {"OTEL_RESOURCE_ATTRIBUTES", "resource", known_variable::form::pairs},
    {"OTEL_TRACES_EXPORTER", "traces", known_variable::form::exporter},
    {"OTEL_METRICS_EXPORTER", "metrics", known_variable::form::exporter},
    {"OTEL_TRACES_SAMPLER", "sampler"},
    {"OTEL_TRACES_SAMPLER_ARG", "sampling_ratio"},
    {"OTEL_BSP_SCHEDULE_DELAY", "delay_seconds", known_variable::form::milliseconds},
    {"OTEL_BSP_MAX_QUEUE_SIZE", "max_queued_spans"},
    {"OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "max_batch_spans"},
}};
constexpr known_variable metric_interval{"OTEL_METRIC_EXPORT_INTERVAL", "metrics_interval_seconds",
                                         known_variable::form::milliseconds};

/// Lays the variables under one table.
class variables_below {
public:
    variables_below(node& telemetry, const variable_lookup& variables, std::vector<problem>& found)
        : telemetry_{telemetry}, variables_{variables}, found_{found} {}

    void add() {
        if (const auto off = value_of("OTEL_SDK_DISABLED"); off && lower(*off) == "true") {
            *telemetry_.find("enabled") = of_variable("OTEL_SDK_DISABLED", std::string{"false"});
            return;
        }
        refuse_grpc();
        for (const known_variable& each : known_variables) add(each);
        add(metric_interval);
    }

private:
    /// An empty variable counts as none, as OpenTelemetry wants it.
    [[nodiscard]] std::optional<std::string> value_of(std::string_view name) const {
        auto value = variables_(std::string{name});
        return value && value->empty() ? std::nullopt : value;
    }

    static node of_variable(std::string_view name, decltype(node::value) value) {
        return {.substituted = true, .variables = {{std::string{name}, true}}, .value = std::move(value)};
    }

    void add(const known_variable& from) {
        if (telemetry_.find(from.key) != nullptr) return;
        const auto text = value_of(from.name);
        if (!text) return;
        const auto put = [&](decltype(node::value) value) {
            telemetry_.as_table()->push_back({std::string{from.key}, of_variable(from.name, std::move(value))});
        };
        switch (from.is) {
            case known_variable::form::text:
                return put(*text);
            case known_variable::form::exporter:
                if (*text == "none") put(std::string{"false"});
                return;
            case known_variable::form::milliseconds:
                if (const auto seconds = seconds_of(from, *text)) put(*seconds);
                return;
            case known_variable::form::pairs:
                if (auto pairs = pairs_of(from, *text)) put(*std::move(pairs));
                return;
        }
    }

    std::optional<double> seconds_of(const known_variable& from, const std::string& text) {
        std::int64_t milliseconds = 0;
        const char* const end = text.data() + text.size();
        const auto [stopped, error] = std::from_chars(text.data(), end, milliseconds);
        constexpr double per_second = 1000;
        if (error == std::errc{} && stopped == end) return static_cast<double>(milliseconds) / per_second;
        complain(from, "must be a whole number of milliseconds");
        return std::nullopt;
    }

    /// `key=value,key=value`, percent-encoded.
    std::optional<node::table> pairs_of(const known_variable& from, std::string_view text) {
        node::table pairs;
        while (!text.empty()) {
            const auto comma = text.find(',');
            const std::string_view pair = text.substr(0, comma);
            text.remove_prefix(comma == std::string_view::npos ? text.size() : comma + 1);
            if (trimmed(pair).empty()) continue;
            const auto equals = pair.find('=');
            const auto value =
                equals == std::string_view::npos ? std::nullopt : decoded(trimmed(pair.substr(equals + 1)));
            if (!value) {
                complain(from, "must be a list like key=value,key=value, with %XX for special characters");
                return std::nullopt;
            }
            pairs.push_back({std::string{trimmed(pair.substr(0, equals))}, of_variable(from.name, *value)});
        }
        return pairs;
    }

    static std::string_view trimmed(std::string_view text) {
        const auto first = text.find_first_not_of(" \t");
        if (first == std::string_view::npos) return {};
        return text.substr(first, text.find_last_not_of(" \t") - first + 1);
    }

    static std::optional<std::string> decoded(std::string_view text) {
        std::string result;
        for (std::size_t i = 0; i < text.size(); ++i) {
            if (text[i] != '%') {
                result += text[i];
                continue;
            }
            unsigned byte = 0;
            const std::string_view digits = text.substr(i + 1, 2);
            const auto [stopped, error] = std::from_chars(digits.data(), digits.data() + digits.size(), byte, 16);
            if (error != std::errc{} || digits.size() != 2 || stopped != digits.data() + 2) return std::nullopt;
            result += static_cast<char>(byte);
            i += 2;
        }
        return result;
    }

    void refuse_grpc() {
        const auto protocol = value_of("OTEL_EXPORTER_OTLP_PROTOCOL");
        if (!protocol || *protocol != "grpc" || telemetry_.find("endpoint") != nullptr) return;
        found_.push_back({.key = "telemetry.endpoint",
                          .message = "OTEL_EXPORTER_OTLP_PROTOCOL asks for grpc, and Sluice sends OTLP over HTTP",
                          .remedy = "set endpoint to the receiver's port for HTTP, usually 4318"});
    }

    /// The value may be a secret: it is not shown.
    void complain(const known_variable& from, const std::string& expected) {
        found_.push_back({.key = "telemetry." + std::string{from.key},
                          .message = std::string{from.name} + " " + expected,
                          .remedy = "correct the variable, or set the key in the file"});
    }

    node& telemetry_;
    const variable_lookup& variables_;
    std::vector<problem>& found_;
};

bool is_true(const node* value) {
    if (value == nullptr) return false;
    if (const auto* flag = std::get_if<bool>(&value->value)) return *flag;
    const auto* text = std::get_if<std::string>(&value->value);
    return text != nullptr && value->substituted && *text == "true";
}

}  // namespace

void read_telemetry(section in, const std::filesystem::path& base_directory, configuration& into) {
    telemetry_settings& to = into.telemetry;
    in.flag("enabled", to.enabled);
    in.text("endpoint", to.endpoint, sensitivity::uri);
    if (const std::string wrong = objection_to(to.endpoint); !wrong.empty()) {
        in.report("endpoint", wrong,
                  "write it like \"http://collector:4318\"; secrets belong into [telemetry.headers]");
    }
    in.text("service_name", to.service_name);
    in.flag("traces", to.traces);
    in.flag("metrics", to.metrics);
    in.choice("sampler", to.sampler, samplers());
    in.number("sampling_ratio", to.sampling_ratio, 0, 1);
    if (in.has("sampling_ratio") && !in.is_substituted("sampling_ratio") && !to.sampler.ends_with("traceidratio")) {
        in.report("sampling_ratio", "is of the samplers by ratio, and sampler is \"" + to.sampler + "\"",
                  "set sampler to \"parentbased_traceidratio\", or remove the key");
    }
    in.number("timeout_seconds", to.timeout_seconds, 0.1, 600);
    in.number("delay_seconds", to.delay_seconds, 0.01, longest_wait);
    in.whole("max_queued_spans", to.max_queued_spans, 1, 1'000'000);
    in.whole("max_batch_spans", to.max_batch_spans, 1, 100'000);
    if (to.max_batch_spans > to.max_queued_spans) {
        in.report("max_batch_spans", "is more than the queue holds (max_queued_spans)", "make it smaller");
    }
    in.number("metrics_interval_seconds", to.metrics_interval_seconds, 0.1, longest_wait);
    in.number("shutdown_seconds", to.shutdown_seconds, 0, 600);
    read_file_name(in, "tls_ca_file", base_directory, to.tls_ca_file);
    read_file_name(in, "tls_certificate_file", base_directory, to.tls_certificate_file);
    read_file_name(in, "tls_key_file", base_directory, to.tls_key_file);
    read_headers(in.below("headers"), to.headers);
    in.below("resource").all_texts(to.resource);
    in.refuse_unknown();
}

void add_telemetry_variables(node& sections, const variable_lookup& variables, std::vector<problem>& found) {
    node* const telemetry = sections.find("telemetry");
    if (telemetry == nullptr || telemetry->as_table() == nullptr || !is_true(telemetry->find("enabled"))) return;
    variables_below{*telemetry, variables, found}.add();
}

}  // namespace sluice::config
