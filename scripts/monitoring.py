#!/usr/bin/env python3
"""monitoring.py SLUICE [--check]: makes the Grafana dashboard and the alert rules of packaging/monitoring.

The metrics are those that `SLUICE metrics --json` names. Every metric is on the dashboard with its help, and a rule may only use
metrics and labels that exist. With --check nothing is written; it fails when the files are not what would be written.
"""
import json
import pathlib
import re
import subprocess
import sys

FOLDER = pathlib.Path(__file__).resolve().parent.parent / "packaging" / "monitoring"

# name, severity, for, expression, summary, what to do
ALERTS = [
    ("SluiceIsGone", "critical", "1m", 'up{job="sluice"} == 0',
     "The service at {{ $labels.instance }} does not answer",
     "Look at the state and the log of its process (systemctl status, journalctl)"),
    ("SluiceIsNotReady", "critical", "2m", "sluice_ready == 0",
     "The service at {{ $labels.instance }} cannot do its work",
     "GET /readyz says why: a database or the internal broker is away"),
    ("SluiceDatabaseIsAway", "critical", "1m", "max by (database) (sluice_database_up) == 0",
     "Database {{ $labels.database }} does not answer", "sluice doctor shows the reason"),
    ("SluiceBrokerIsAway", "warning", "5m", "max by (broker, internal) (sluice_broker_up) == 0",
     "Broker {{ $labels.broker }} does not answer", "Its rows wait, nothing is lost; sluice status shows the reason"),
    ("SluiceLaneHasNoOwner", "critical", "1m",
     'max by (domain, database, broker) (sluice_lane_state{state=~"stopped|lost"}) == 1',
     "No engine runs the lane to {{ $labels.broker }}", "Start an engine; sluice doctor says what keeps one from the lane"),
    ("SluiceLaneMakesNoProgress", "critical", None,
     "max by (domain, database, broker) (sluice_outbox_oldest_age_seconds) > 300\n"
     "and on (domain, database, broker)\n"
     "sum by (domain, database, broker) (increase(sluice_outbox_published_total[5m])) == 0",
     "Nothing reaches {{ $labels.broker }}", "sluice status names the state and the last error"),
    ("SluiceRowsWaitLong", "warning", None,
     "max by (domain, database, broker) (sluice_outbox_oldest_age_seconds) > 3600",
     "A row for {{ $labels.broker }} waits for more than an hour",
     "The broker refuses it and it holds back its stream: sluice outbox list --status failed"),
    ("SluiceRowsAbandoned", "warning", None, "max by (domain, database, broker) (sluice_outbox_abandoned) > 0",
     "Rows for {{ $labels.broker }} were given up", "sluice outbox list --status abandoned, then retry or discard"),
    ("SluiceAuditDoesNotClose", "critical", None,
     "max by (domain, database, broker) (sluice_audit_timestamp_seconds)\n"
     "> on (domain, database, broker)\n"
     "max by (domain, database, broker) (sluice_audit_closed_timestamp_seconds)",
     "The last audit did not find every event for {{ $labels.broker }} where it belongs", "sluice audit names the events"),
    ("SluiceDeadLetters", "warning", None,
     "max by (domain, handler, stream) (sluice_subscription_dead_letters) > 0",
     "{{ $labels.handler }} has given up messages", "sluice dlq list shows why; then sluice dlq replay or purge"),
    ("SluiceMessagesDropped", "critical", None,
     "sum by (domain, handler, stream) (increase(sluice_subscription_dropped_total[5m])) > 0",
     "{{ $labels.handler }} drops messages for good", "The lines message.dropped of the log name them; consider enable_dlq"),
    ("SluiceSubscriptionMakesNoProgress", "critical", "5m",
     "max by (domain, handler, stream) (sluice_subscription_lag) > 0\n"
     "and on (domain, handler, stream)\n"
     "sum by (domain, handler, stream) (increase(sluice_subscription_processed_total[5m])) == 0",
     "{{ $labels.handler }} handles nothing although messages wait",
     "sluice subscriptions status; the log says what its handler waits for"),
    ("SluiceCircuitBreakerOpened", "warning", None,
     'sum by (domain, handler, stream) (increase(sluice_subscription_circuit_breaker_total{to="opened"}[10m])) > 0',
     "{{ $labels.handler }} fails for every message", "The log has the errors; the breaker tries again by itself"),
    ("SluiceScheduleIsStuck", "critical", None, "max by (domain, database) (sluice_schedule_overdue_seconds) > 60",
     "Timers in database {{ $labels.database }} are late", "The log says schedule.refused, .hindered or .paused"),
    ("SluiceTransactionHoldsTheLog", "warning", None,
     "max by (domain, database, pid, application) (sluice_log_writer_age_seconds) > 600",
     "A transaction of process {{ $labels.pid }} has written events and does not end",
     "End it in {{ $labels.application }}, or by SELECT pg_terminate_backend({{ $labels.pid }})"),
    ("SluiceThreadRestarts", "warning", None,
     "sum by (domain, thread) (increase(sluice_thread_restarts_total[15m])) > 2",
     "{{ $labels.thread }} fails again and again", "The lines engine.worker_failed of the log have the reason"),
    ("SluiceWorkerIsDown", "warning", "2m", "sluice_worker_up == 0",
     "Worker {{ $labels.worker }} does not serve", "The lines supervisor.worker_ended of the log say how it ended"),
    ("SluiceLogLinesDropped", "warning", None, "increase(sluice_log_lines_dropped_total[10m]) > 0",
     "The log of {{ $labels.instance }} has gaps", "Nobody reads it in time, or its disk is full"),
]

ROWS = [
    ("Processes", ("sluice_up", "sluice_ready", "sluice_build_info", "sluice_uptime", "sluice_log_lines", "sluice_thread",
                   "sluice_worker")),
    ("Databases and brokers", ("sluice_database", "sluice_broker", "sluice_check")),
    ("Lanes", ("sluice_lane", "sluice_shard", "sluice_outbox", "sluice_audit", "sluice_log_writer")),
    ("Subscriptions", ("sluice_subscription", "sluice_handler")),
    ("Timers", ("sluice_schedule",)),
    ("Telemetry", ("sluice_spans",)),
]
EXTRA = ("up", "job", "le", "instance")  # Prometheus' own


def fail(text):
    sys.exit("monitoring.py: " + text)


def series_of(metric):
    name = metric["name"]
    return [name + end for end in ("_bucket", "_sum", "_count")] if metric["type"] == "histogram" else [name]


def check_rules(metrics):
    """A rule that names what is not there would never fire."""
    labels_of = {series: set(m["labels"]) for m in metrics for series in series_of(m)}
    for name, _, _, expression, summary, remedy in ALERTS:
        used = set(re.findall(r"\bsluice_[a-z_]+", expression))
        for series in used - labels_of.keys():
            fail(f"{name} uses {series}, which is no metric")
        known = set(EXTRA).union(*(labels_of[series] for series in used))
        wanted = set(re.findall(r"\$labels\.([a-z_]+)", summary + remedy))
        for group in re.findall(r"(?:by|on) \(([a-z_, ]+)\)", expression):
            wanted |= set(group.split(", "))
        for label in wanted - known:
            fail(f"{name} uses the label {label}, which its metrics do not have")


def rules_text():
    lines = ["# Made by scripts/monitoring.py from the metrics of Sluice; change it there.", "groups:", "  - name: sluice",
             "    rules:"]
    for name, severity, wait, expression, summary, remedy in ALERTS:
        lines += [f"      - alert: {name}", "        expr: |"]
        lines += ["          " + line for line in expression.split("\n")]
        if wait:
            lines.append(f"        for: {wait}")
        lines += ["        labels:", f"          severity: {severity}", "        annotations:",
                  f"          summary: {json.dumps(summary)}", f"          remedy: {json.dumps(remedy)}"]
    return "\n".join(lines) + "\n"


def unit_of(name):
    if "seconds" in name:
        return "s"
    return "short"


def targets_of(metric):
    """The queries of a metric: counters by their rate, histograms by their quantiles, gauges as they are."""
    name, labels = metric["name"], metric["labels"]
    chosen = '{domain=~"$domain"}' if "domain" in labels else ""
    own = [label for label in labels if label not in ("domain", "external", "internal", "status", "to", "state", "le")]
    shown = [label for label in labels if label in ("status", "to", "state")]
    legend = " ".join("{{%s}}" % label for label in own + shown) or "{{instance}}"
    if metric["type"] == "histogram":
        by = ", ".join(["le"] + own)
        return [(f"histogram_quantile({q}, sum by ({by}) (rate({name}_bucket{chosen}[$__rate_interval])))", f"p{p} {legend}")
                for q, p in ((0.5, 50), (0.99, 99))]
    # What a process tells of itself is shown for each; what it sees of databases and brokers is the same for all.
    by = ", ".join(own + shown) if labels else "instance"
    if metric["type"] == "counter":
        return [(f"sum by ({by}) (rate({name}{chosen}[$__rate_interval]))", legend)]
    if name.endswith("_timestamp_seconds"):
        return [(f"time() - max by ({by}) ({name}{chosen})", legend)]
    return [(f"max by ({by}) ({name}{chosen})" + (" == 1" if name.endswith("_state") else ""), legend)]


def dashboard_text(metrics):
    panels, y, number, left = [], 0, 1, list(metrics)
    source = {"type": "prometheus", "uid": "${datasource}"}
    for title, prefixes in ROWS:
        mine = [m for m in left if m["name"].startswith(prefixes)]
        left = [m for m in left if m not in mine]
        panels.append({"id": number, "type": "row", "title": title, "collapsed": False, "panels": [],
                       "gridPos": {"h": 1, "w": 24, "x": 0, "y": y}})
        number, y = number + 1, y + 1
        for place, metric in enumerate(mine):
            queries = [{"refId": chr(ord("A") + i), "expr": expression, "legendFormat": legend, "datasource": source}
                       for i, (expression, legend) in enumerate(targets_of(metric))]
            unit = "ops" if metric["type"] == "counter" else unit_of(metric["name"])
            panels.append({"id": number, "type": "timeseries", "datasource": source,
                           "title": metric["name"].removeprefix("sluice_").removesuffix("_total").replace("_", " "),
                           "description": metric["help"], "targets": queries,
                           "fieldConfig": {"defaults": {"unit": unit, "min": 0}, "overrides": []},
                           "options": {"legend": {"displayMode": "list", "placement": "bottom"}},
                           "gridPos": {"h": 7, "w": 8, "x": place % 3 * 8, "y": y + place // 3 * 7}})
            number += 1
        y += (len(mine) + 2) // 3 * 7
    if left:
        fail("no row of the dashboard is for " + ", ".join(m["name"] for m in left))
    variables = [{"name": "datasource", "type": "datasource", "query": "prometheus", "label": "Data source"},
                 {"name": "domain", "type": "query", "label": "Domain", "datasource": source, "refresh": 2, "multi": True,
                  "includeAll": True, "current": {"text": "All", "value": "$__all"},
                  "query": {"query": "label_values(sluice_lane_state, domain)", "refId": "domain"}}]
    dashboard = {"uid": "sluice", "title": "Sluice", "tags": ["sluice"], "schemaVersion": 37, "version": 1, "editable": True,
                 "refresh": "30s", "time": {"from": "now-3h", "to": "now"}, "timezone": "browser",
                 "templating": {"list": variables}, "annotations": {"list": []}, "panels": panels}
    return json.dumps(dashboard, indent=1) + "\n"


def main():
    if len(sys.argv) not in (2, 3) or sys.argv[2:] not in ([], ["--check"]):
        sys.exit(__doc__)
    listed = subprocess.run([sys.argv[1], "metrics", "--json"], check=True, stdout=subprocess.PIPE)
    metrics = json.loads(listed.stdout)["metrics"]
    check_rules(metrics)
    wanted = {"sluice-dashboard.json": dashboard_text(metrics), "sluice.rules.yml": rules_text()}
    for name, text in wanted.items():
        file = FOLDER / name
        if len(sys.argv) == 2:
            file.write_text(text)
        elif not file.exists() or file.read_text() != text:
            fail(f"{file.relative_to(FOLDER.parent.parent)} is not current; run scripts/monitoring.py build/bin/sluice")


if __name__ == "__main__":
    main()
