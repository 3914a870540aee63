#include "http/metrics_format.hpp"

#include <charconv>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "base/names.hpp"

namespace sluice::http {

namespace {

/// One of the formats as a client may name it.
struct offered_type {
    std::string_view kind;  ///< with its slash
    std::string_view name;
    std::string_view version;
};

constexpr offered_type prometheus_offer{"text/", "plain", "0.0.4"};
constexpr offered_type openmetrics_offer{"application/", "openmetrics-text", "1.0.0"};

/// What a client accepts.
struct media_range {
    std::string type{};     ///< in lower case
    std::string version{};  ///< empty: any
    double weight = 1;
};

/// How well a range fits an offer: the one that says most decides.
enum class fit : std::uint8_t { none, anything, kind, name, version };

/// How much a client wants an offer.
struct wish {
    fit by = fit::none;
    double weight = 0;
};

std::string_view without_spaces(std::string_view text) {
    constexpr std::string_view spaces = " \t";
    const auto begin = text.find_first_not_of(spaces);
    if (begin == std::string_view::npos) return {};
    return text.substr(begin, text.find_last_not_of(spaces) - begin + 1);
}

/// The parts between separators that are in no quoted string, without the spaces around them.
std::vector<std::string_view> parts_of(std::string_view text, char separator) {
    std::vector<std::string_view> parts;
    bool is_quoted = false;
    std::size_t begin = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (is_quoted && text[i] == '\\') {
            ++i;
        } else if (text[i] == '"') {
            is_quoted = !is_quoted;
        } else if (text[i] == separator && !is_quoted) {
            parts.push_back(without_spaces(text.substr(begin, i - begin)));
            begin = i + 1;
        }
    }
    parts.push_back(without_spaces(text.substr(begin)));
    return parts;
}

std::string_view without_quotes(std::string_view text) {
    const bool is_quoted = text.size() > 1 && text.front() == '"' && text.back() == '"';
    return is_quoted ? text.substr(1, text.size() - 2) : text;
}

std::optional<double> weight_of(std::string_view text) {
    double weight = 0;
    const auto [end, problem] =
        std::from_chars(text.data(), text.data() + text.size(), weight, std::chars_format::fixed);
    const bool is_weight = problem == std::errc{} && end == text.data() + text.size() && weight >= 0 && weight <= 1;
    return is_weight ? std::optional{weight} : std::nullopt;
}

/// Nothing when its weight is none.
std::optional<media_range> range_of(std::string_view text) {
    const auto parts = parts_of(text, ';');
    media_range range{.type = base::lower(parts.front())};
    for (std::size_t i = 1; i < parts.size(); ++i) {
        const auto equals = parts[i].find('=');
        if (equals == std::string_view::npos) continue;
        const std::string name = base::lower(without_spaces(parts[i].substr(0, equals)));
        const std::string_view value = without_quotes(without_spaces(parts[i].substr(equals + 1)));
        if (name == "version") range.version = value;
        if (name != "q") continue;
        const auto weight = weight_of(value);
        if (!weight) return std::nullopt;
        range.weight = *weight;
    }
    return range;
}

fit fit_of(const media_range& range, const offered_type& offer) {
    if (range.type == "*/*") return fit::anything;
    if (!range.type.starts_with(offer.kind)) return fit::none;
    const std::string_view name = std::string_view{range.type}.substr(offer.kind.size());
    if (name == "*") return fit::kind;
    if (name != offer.name) return fit::none;
    if (range.version.empty()) return fit::name;
    return range.version == offer.version ? fit::version : fit::none;
}

wish wish_for(const offered_type& offer, const std::vector<media_range>& ranges) {
    wish most;
    for (const media_range& each : ranges) {
        const fit by = fit_of(each, offer);
        const bool says_more = by > most.by || (by == most.by && each.weight > most.weight);
        if (by != fit::none && says_more) most = {.by = by, .weight = each.weight};
    }
    return most;
}

}  // namespace

metrics_format choose_metrics_format(std::string_view accept) {
    std::vector<media_range> ranges;
    for (const std::string_view each : parts_of(accept, ',')) {
        if (auto range = range_of(each)) ranges.push_back(*std::move(range));
    }
    const wish openmetrics = wish_for(openmetrics_offer, ranges);
    const wish prometheus = wish_for(prometheus_offer, ranges);
    const bool is_named = openmetrics.by >= fit::name;
    const bool is_wanted = is_named ? openmetrics.weight >= prometheus.weight : openmetrics.weight > prometheus.weight;
    return openmetrics.weight > 0 && is_wanted ? metrics_format::openmetrics : metrics_format::prometheus_text;
}

const char* content_type_of(metrics_format format) noexcept {
    switch (format) {
        case metrics_format::openmetrics:
            return "application/openmetrics-text; version=1.0.0; charset=utf-8";
        case metrics_format::prometheus_text:
            break;
    }
    return "text/plain; version=0.0.4; charset=utf-8";
}

}  // namespace sluice::http
