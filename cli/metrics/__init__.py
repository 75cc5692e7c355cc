"""Metrics for Prometheus: the only place that knows its client library. docs/metrics.md lists what is told."""
