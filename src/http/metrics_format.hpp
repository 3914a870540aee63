#pragma once

#include <cstdint>
#include <string_view>

namespace sluice::http {

/// The texts in which metrics are shown.
enum class metrics_format : std::uint8_t {
    prometheus_text,  ///< version 0.0.4 of Prometheus' text format
    openmetrics       ///< version 1.0.0 of the OpenMetrics text format; it alone has exemplars
};

/// What a scrape gets, as RFC 9110 (12.5.1) negotiates: the format that has the greater weight. Of two that weigh the
/// same it is OpenMetrics when that is named, and not only covered by a wildcard. A scrape that accepts neither gets
/// Prometheus' text all the same, as one that says nothing. Pure.
///
/// Of the parameters only `version` decides: a range of another version asks for something that is not made here.
/// Ranges whose weight is no number from 0 to 1 are passed over.
///
/// @param accept  values of the header `Accept`, with commas between them; empty when there is none
[[nodiscard]] metrics_format choose_metrics_format(std::string_view accept);

/// The value of `Content-Type`.
[[nodiscard]] const char* content_type_of(metrics_format format) noexcept;

}  // namespace sluice::http
