"""Prometheus: PromQL over its HTTP API."""
