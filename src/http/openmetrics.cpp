#include "http/openmetrics.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "base/utf8.hpp"

namespace sluice::http {

namespace {

constexpr std::string_view counter_ending = "_total";
/// Characters of the names and values of an exemplar's labels together.
constexpr std::size_t longest_exemplar = 128;

using label_set = std::vector<std::pair<std::string, std::string>>;

/// With a point or an exponent, as bounds of buckets are to be written: equal numbers are equal texts.
void append_canonical(std::string& out, double number) {
    if (std::isnan(number)) {
        out += "NaN";
        return;
    }
    if (std::isinf(number)) {
        out += number > 0 ? "+Inf" : "-Inf";
        return;
    }
    std::array<char, 32> digits{};
    const auto written =
        std::to_chars(digits.data(), digits.data() + digits.size(), number, std::chars_format::general);
    const std::string_view text{digits.data(), static_cast<std::size_t>(written.ptr - digits.data())};
    out += text;
    if (text.find_first_of(".e") == std::string_view::npos) out += ".0";
}

/// Whole numbers without a point.
void append_value(std::string& out, double number) {
    constexpr double all_are_exact_below = 0x1p53;
    if (std::abs(number) < all_are_exact_below && std::trunc(number) == number) {
        out += std::to_string(static_cast<std::int64_t>(number));
    } else {
        append_canonical(out, number);
    }
}

/// Seconds since 1970, with all the digits that there are: a floating-point number would lose some.
void append_timestamp(std::string& out, date_time at) {
    constexpr std::int64_t per_second = 1'000'000;
    constexpr std::size_t digits = 6;
    const std::int64_t micros = at.micros();
    const std::string fraction = std::to_string(std::abs(micros % per_second));
    if (micros < 0) out += '-';
    out += std::to_string(std::abs(micros / per_second));
    out += '.';
    out.append(digits - fraction.size(), '0');
    out += fraction;
}

void append_escaped(std::string& out, std::string_view text) {
    constexpr std::string_view replacement = "\xEF\xBF\xBD";  // U+FFFD
    while (!text.empty()) {
        const base::utf8_sequence next = base::decode_utf8(text);
        switch (text.front()) {
            case '\n':
                out += "\\n";
                break;
            case '"':
                out += "\\\"";
                break;
            case '\\':
                out += "\\\\";
                break;
            default:
                out += next.well_formed ? text.substr(0, next.length) : replacement;
        }
        text.remove_prefix(next.length);
    }
}

void append_label(std::string& out, std::string_view name, std::string_view value) {
    if (out.back() != '{') out += ',';
    out += name;
    out += "=\"";
    append_escaped(out, value);
    out += '"';
}

/// Writes one metric after the other.
class exposition {
public:
    explicit exposition(std::span<const metric_family> all) : all_{all} {
        for (const metric_family& each : all) write(each);
        out_ += "# EOF\n";
    }

    [[nodiscard]] std::string text() && { return std::move(out_); }

private:
    void write(const metric_family& family) {
        switch (family.kind) {
            case metric_kind::gauge:
                describe(family, family.name, "gauge");
                return write_values(family);
            case metric_kind::counter:
                describe_counter(family);
                return write_values(family);
            case metric_kind::histogram:
                describe(family, family.name, "histogram");
                for (const metric_sample& each : family.samples) write_histogram(family.name, each);
                return;
        }
    }

    void describe(const metric_family& family, std::string_view name, std::string_view type) {
        out_.append("# TYPE ").append(name).append(" ").append(type) += '\n';
        if (name.ends_with("_seconds")) out_.append("# UNIT ").append(name) += " seconds\n";
        out_.append("# HELP ").append(name) += ' ';
        append_escaped(out_, family.help);
        out_ += '\n';
    }

    void describe_counter(const metric_family& family) {
        std::string_view name = family.name;
        const bool has_ending = name.ends_with(counter_ending);
        if (has_ending) name.remove_suffix(counter_ending.size());
        const bool is_taken = std::ranges::find(all_, name, &metric_family::name) != all_.end();
        if (!has_ending || is_taken) return describe(family, family.name, "unknown");
        describe(family, name, "counter");
    }

    void write_values(const metric_family& family) {
        for (const metric_sample& each : family.samples) {
            begin_series(family.name, "", each.labels);
            append_value(out_, each.value);
            out_ += '\n';
        }
    }

    void write_histogram(std::string_view name, const metric_sample& sample) {
        for (const metric_bucket& each : sample.buckets) {
            begin_series(name, "_bucket", sample.labels, each.upper_bound);
            out_ += std::to_string(each.count);
            if (each.exemplar) write_exemplar(*each.exemplar);
            out_ += '\n';
        }
        begin_series(name, "_count", sample.labels);
        out_ += std::to_string(sample.count);
        out_ += '\n';
        begin_series(name, "_sum", sample.labels);
        append_value(out_, sample.value);
        out_ += '\n';
    }

    /// @param bound  of a bucket
    void begin_series(std::string_view name, std::string_view ending, const label_set& of,
                      std::optional<double> bound = std::nullopt) {
        out_.append(name).append(ending);
        if (!of.empty() || bound) {
            out_ += '{';
            for (const auto& [key, value] : of) append_label(out_, key, value);
            if (bound) {
                std::string text;
                append_canonical(text, *bound);
                append_label(out_, "le", text);
            }
            out_ += '}';
        }
        out_ += ' ';
    }

    void write_exemplar(const metric_exemplar& exemplar) {
        constexpr std::string_view trace = "trace_id";
        constexpr std::string_view span = "span_id";
        if (trace.size() + exemplar.trace_id.size() + span.size() + exemplar.span_id.size() > longest_exemplar) return;
        out_ += " # {";
        append_label(out_, trace, exemplar.trace_id);
        append_label(out_, span, exemplar.span_id);
        out_ += "} ";
        append_value(out_, exemplar.value);
        out_ += ' ';
        append_timestamp(out_, exemplar.at);
    }

    std::span<const metric_family> all_;
    std::string out_;
};

}  // namespace

std::string to_openmetrics(std::span<const metric_family> all) { return exposition{all}.text(); }

}  // namespace sluice::http
