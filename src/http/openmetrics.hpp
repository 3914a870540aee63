#pragma once

#include <span>
#include <string>

#include <sluice/metrics.hpp>

namespace sluice::http {

/// The text format of OpenMetrics 1.0 (https://prometheus.io/docs/specs/om/open_metrics_spec/), with the exemplars of
/// histograms. Pure.
///
/// The series have the names that they have in Prometheus' text format, so a query finds them in either. Only the
/// families of counters are called otherwise: without the `_total` of their series. A counter whose family would be
/// called like another metric, or whose name has no `_total`, is of the type `unknown`, which has no ending.
///
/// A name that ends with `_seconds` names its unit. What is no UTF-8 in a label or a help is replaced, since one such
/// byte would make the whole text invalid. An exemplar whose labels are longer than the format allows is left out.
[[nodiscard]] std::string to_openmetrics(std::span<const metric_family> all);

}  // namespace sluice::http
