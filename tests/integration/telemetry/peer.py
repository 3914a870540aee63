"""The official definitions of OTLP as a judge.

peer.py DIRECTORY    reads NNNN.traces.json and NNNN.metrics.json, bodies of requests in the order of their names, and
                     prints what is in them, as JSON. Fails at a field that the definitions do not have.
"""

import base64
import json
import pathlib
import sys

from google.protobuf import json_format
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

IDS = {"traceId": 16, "spanId": 8, "parentSpanId": 8}


def with_bytes(value):
    """OTLP writes ids in hexadecimal, where JSON of protobuf has base64."""
    if isinstance(value, list):
        return [with_bytes(each) for each in value]
    if not isinstance(value, dict):
        return value
    made = {}
    for key, each in value.items():
        if key in IDS:
            raw = bytes.fromhex(each)
            assert len(raw) == IDS[key], f"{key} has {len(raw)} bytes"
            made[key] = base64.b64encode(raw).decode()
        else:
            made[key] = with_bytes(each)
    return made


def read(file, into):
    return json_format.ParseDict(with_bytes(json.loads(file.read_text())), into)


directory = pathlib.Path(sys.argv[1])
spans = []
for file in sorted(directory.glob("*.traces.json")):
    for of in read(file, ExportTraceServiceRequest()).resource_spans:
        service = {each.key: each.value.string_value for each in of.resource.attributes}["service.name"]
        for scope in of.scope_spans:
            for span in scope.spans:
                assert 0 < span.start_time_unix_nano <= span.end_time_unix_nano, span.name
                spans.append({"service": service, "name": span.name, "trace": span.trace_id.hex(),
                              "id": span.span_id.hex(), "parent": span.parent_span_id.hex(),
                              "kind": Span.SpanKind.Name(span.kind)})
metrics = set()
exemplars = set()
for file in sorted(directory.glob("*.metrics.json")):
    for of in read(file, ExportMetricsServiceRequest()).resource_metrics:
        for scope in of.scope_metrics:
            for metric in scope.metrics:
                data = metric.WhichOneof("data")
                for point in getattr(metric, data).data_points:
                    if data == "histogram":
                        assert len(point.bucket_counts) == len(point.explicit_bounds) + 1, metric.name
                        assert sum(point.bucket_counts) == point.count, metric.name
                        for each in point.exemplars:
                            assert 0 < each.time_unix_nano <= point.time_unix_nano, metric.name
                            assert each.WhichOneof("value") == "as_double" and each.as_double >= 0, metric.name
                            exemplars.add(f"{metric.name} {each.trace_id.hex()} {each.span_id.hex()}")
                    assert point.time_unix_nano > 0, metric.name
                metrics.add(f"{metric.name} {data}")
print(json.dumps({"spans": spans, "metrics": sorted(metrics), "exemplars": sorted(exemplars)}))
