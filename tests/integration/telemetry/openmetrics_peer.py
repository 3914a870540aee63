"""The parser of Prometheus' client for Python as a judge of OpenMetrics.

openmetrics_peer.py < TEXT    prints the types of the metrics and the exemplars of their buckets, as JSON. Fails at what is
                              no OpenMetrics.
"""

import json
import sys

from prometheus_client.openmetrics.parser import text_string_to_metric_families

types = {}
exemplars = []
for family in text_string_to_metric_families(sys.stdin.read()):
    types[family.name] = family.type
    for sample in family.samples:
        if sample.exemplar is None:
            continue
        assert sample.name == family.name + "_bucket", sample.name
        assert sample.exemplar.value <= float(sample.labels["le"]), sample
        assert sample.exemplar.timestamp is not None, sample
        exemplars.append({"metric": family.name, "trace": sample.exemplar.labels["trace_id"],
                          "span": sample.exemplar.labels["span_id"]})
print(json.dumps({"types": types, "exemplars": exemplars}))
