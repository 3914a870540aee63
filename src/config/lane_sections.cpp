#include "config/lane_sections.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "envelope/text_template.hpp"

namespace sluice::config {

namespace {

constexpr std::int64_t most_shards = 64;
constexpr std::int64_t least_limit_bytes = 1024;
constexpr std::int64_t most_limit_bytes = 1'000'000'000;

const std::vector<std::pair<std::string, envelope::message_form>>& formats() {
    static const std::vector<std::pair<std::string, envelope::message_form>> words{
        {"sluice", envelope::message_form::sluice},
        {"cloudevents-structured", envelope::message_form::cloudevents_structured},
        {"cloudevents-binary", envelope::message_form::cloudevents_binary}};
    return words;
}

/// Reads the lane of one broker.
class lane_reader {
public:
    lane_reader(section lane, const broker_settings& broker, const outbox_settings& outbox)
        : in_{std::move(lane)},
          broker_{broker},
          is_internal_{broker.name == outbox.broker},
          is_external_{std::ranges::find(outbox.external_brokers, broker.name) != outbox.external_brokers.end()} {
        options_.retry = outbox.retry;
    }

    [[nodiscard]] lane_options read() && {
        in_.whole("shards", options_.shards, 1, most_shards);
        read_limits();
        read_retry(in_.below("retry"), *options_.retry);
        read_format();
        read_choice("events", options_.events);
        read_choice("aggregates", options_.aggregates);
        read_template("stream", options_.stream);
        read_extensions();
        read_redaction();
        in_.refuse_unknown();
        return std::move(options_);
    }

private:
    void read_limits() {
        std::optional<std::size_t> limit;
        in_.whole("max_message_bytes", limit, least_limit_bytes, most_limit_bytes);
        options_.max_message_bytes = limit.value_or(0);
        in_.number("rate_limit", options_.rate_limit, 0, 100'000);
    }

    void read_format() {
        std::vector<std::string> words;
        for (const auto& [word, format] : formats()) words.push_back(word);
        std::string chosen = words.front();
        in_.choice("format", chosen, words);
        for (const auto& [word, format] : formats()) {
            if (word == chosen) options_.terms.form = format;
        }
        require_external("format");
        options_.terms.with_headers = broker_.kind != nullptr && broker_.kind->carries_headers();
        if (options_.terms.form == envelope::message_form::cloudevents_binary && !options_.terms.with_headers) {
            in_.report("format", "needs a broker that carries headers, and \"" + broker_.provider + "\" carries none",
                       "use \"cloudevents-structured\"");
        }
        read_cloudevents_text("source", options_.terms.source);
        read_cloudevents_text("dataschema", options_.terms.dataschema);
        if (in_.has("dataschema")) check_template("dataschema", options_.terms.dataschema);
    }

    void read_cloudevents_text(std::string_view key, std::string& text) {
        in_.text(key, text);
        require_external(key);
        if (in_.has(key) && options_.terms.form == envelope::message_form::sluice) {
            in_.report(key, "is of CloudEvents, and format is \"sluice\"", "choose another format, or remove the key");
        }
    }

    void read_template(std::string_view key, std::string& text) {
        in_.text(key, text);
        require_external(key);
        check_template(key, text);
    }

    void check_template(std::string_view key, const std::string& text) {
        const std::string wrong = envelope::problem_of_template(text);
        if (!wrong.empty()) in_.report(key, wrong, "known: " + envelope::template_fields());
    }

    void read_choice(std::string_view key, std::optional<std::vector<std::string>>& patterns) {
        in_.texts(key, patterns);
        require_external(key);
        if (in_.has(key) && patterns && patterns->empty()) {
            in_.report(key, "is empty, so nothing would go there",
                       "remove the key to send everything, or the broker from external_brokers to send nothing");
        }
        if (patterns) refuse_repeated(key, *patterns);
    }

    void read_extensions() {
        std::optional<std::vector<std::string>> list;
        in_.texts("extensions", list);
        if (!in_.has("extensions")) return;
        std::vector<std::string> listed = std::move(list).value_or(std::vector<std::string>{});
        require_external("extensions");
        for (std::size_t i = 0; i < listed.size(); ++i) {
            if (!listed[i].starts_with('_')) continue;
            in_.report_element("extensions", i, "begins with _ and never leaves the context",
                               "remove it, or let the enricher give it another name");
        }
        refuse_repeated("extensions", listed);
        options_.terms.extensions = std::move(listed);
    }

    void read_redaction() {
        in_.texts("redact", options_.terms.redact);
        std::string replacement;
        in_.text("redact_with", replacement);
        if (!replacement.empty()) options_.terms.redact_with = replacement;
        require_external("redact");
        require_external("redact_with");
        refuse_repeated("redact", options_.terms.redact);
        for (std::size_t i = 0; i < options_.terms.redact.size(); ++i) {
            const std::string& path = options_.terms.redact[i];
            if (!path.starts_with('.') && !path.ends_with('.') && path.find("..") == std::string::npos) continue;
            in_.report_element("redact", i, "has an empty name in it", "write it like \"customer.email\"");
        }
        if (in_.has("redact_with") && options_.terms.redact.empty()) {
            in_.report("redact_with", "stands in place of what redact names, and that names nothing",
                       "name the members in redact, or remove the key");
        }
    }

    void refuse_repeated(std::string_view key, const std::vector<std::string>& listed) {
        for (std::size_t i = 0; i < listed.size(); ++i) {
            const auto first = static_cast<std::size_t>(std::ranges::find(listed, listed[i]) - listed.begin());
            if (first < i) in_.report_element(key, i, "is listed twice", "remove one");
        }
    }

    /// What partners get can be chosen, what the context itself gets cannot.
    void require_external(std::string_view key) {
        if (!in_.has(key) || is_external_) return;
        if (is_internal_) {
            in_.report(key, "is for external brokers; the internal one gets every event as it is", "remove it");
        } else {
            in_.report(key, "is for external brokers, and this is none",
                       "list the broker in [outbox] external_brokers, or remove the key");
        }
    }

    section in_;
    const broker_settings& broker_;
    bool is_internal_;
    bool is_external_;
    lane_options options_;
};

std::vector<std::string> names_of_brokers(const configuration& so_far) {
    std::vector<std::string> names;
    for (const auto& [name, settings] : so_far.brokers) names.push_back(name);
    return names;
}

}  // namespace

void read_retry(section retry, retry_settings& settings) {
    retry.whole("max_attempts", settings.max_attempts, 1, 1'000'000);
    retry.number("base_delay_seconds", settings.base_delay_seconds, 0, 604'800);
    retry.number("closed_stream_hours", settings.closed_stream_hours, 0, 876'000);
    retry.number("max_backoff_seconds", settings.max_backoff_seconds, 0, 604'800);
    retry.number("backoff_multiplier", settings.backoff_multiplier, 1, 1000);
    retry.flag("jitter", settings.jitter);
    retry.number("jitter_factor", settings.jitter_factor, 0, 1);
    retry.refuse_unknown();
}

void read_lanes(section lanes, const configuration& so_far, outbox_settings& outbox) {
    for (auto& [name, lane] : lanes.all_below()) {
        const auto found = so_far.brokers.find(name);
        if (found == so_far.brokers.end()) {
            lanes.report(name, "no such broker in [brokers]",
                         did_you_mean(name, names_of_brokers(so_far), "brokers are"));
            lane.ignore_unknown();
        } else {
            outbox.lanes[name] = lane_reader{std::move(lane), found->second, outbox}.read();
        }
    }
    for (const auto& [name, settings] : so_far.brokers) {
        const bool has_lane =
            name == outbox.broker || std::ranges::find(outbox.external_brokers, name) != outbox.external_brokers.end();
        if (has_lane && !lanes.has(name)) {
            outbox.lanes[name] = lane_reader{lanes.below(name), settings, outbox}.read();
        }
    }
}

}  // namespace sluice::config
