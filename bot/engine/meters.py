"""What pult measures of itself; names are interface.md section 7. The only file that knows prometheus-client."""

from __future__ import annotations

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.exposition import CONTENT_TYPE_LATEST

SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 15, 60, 300)


class Meters:
    """One process's metrics, in a registry of their own so that tests may have several."""

    def __init__(self, version: str) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self.registry = CollectorRegistry(auto_describe=False)
        self.received = self._counter("pult_webhook_received", "Webhooks by result", "source", "result")
        self.event_age = self._histogram("pult_event_age_seconds", "Receipt to first delivery")
        self.oldest = self._gauge("pult_oldest_undelivered_seconds", "Age of the oldest due card", "destination")
        self.depth = self._gauge("pult_outbox_depth", "Cards due", "destination")
        self.delivery = self._counter("pult_delivery", "Posts and edits by result", "platform", "result")
        self.command = self._histogram("pult_command_seconds", "Receipt to answer", "command", "platform")
        self.operation = self._counter("pult_operation", "Operations ended, by result", "kind", "result")
        self.up = self._gauge("pult_dependency_up", "1 while the dependency answers", "name")
        self.canary = self._gauge("pult_canary_seconds", "The last canary's way from webhook to delivery; NaN: lost")
        self.replicas = self._gauge("pult_replicas", "Replicas alive, as this one sees it")
        self.owner = self._gauge("pult_lease_owner", "1 for each lease that this replica holds, else 0", "lease")
        self.spooled = self._gauge("pult_spool_events", "Events kept while the store is away, not merged yet")
        self._gauge("pult_build_info", "Always 1", "version").labels(version).set(1)

    def _counter(self, name: str, about: str, *labels: str) -> Counter:
        return Counter(name, about, labels, registry=self.registry)

    def _gauge(self, name: str, about: str, *labels: str) -> Gauge:
        return Gauge(name, about, labels, registry=self.registry)

    def _histogram(self, name: str, about: str, *labels: str) -> Histogram:
        return Histogram(name, about, labels, registry=self.registry, buckets=SECONDS)

    def text(self) -> tuple[bytes, str]:
        """The Prometheus text and its content type."""
        return generate_latest(self.registry), CONTENT_TYPE_LATEST
