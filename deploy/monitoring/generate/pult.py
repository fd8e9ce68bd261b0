"""pult itself: what comes in, what goes out, how late, and what it needs."""

from __future__ import annotations

from deploy.monitoring.generate.panels import FREE, GREEN, RED, YELLOW, Board, Choice, Panel, Query, Row

_HERE = 'region=~"$region"'
_SOURCE = f'{_HERE}, source=~"$source"'
_OWN = f'{_HERE}, namespace="pult", container="pult"'
_FREE = "persistentvolumeclaim_namespace_region:kubelet_volume_stats_free:ratio"
_RATE = "[$__rate_interval]"


def _quantile(share: str, metric: str, name: str, by: str = "le") -> Query:
    return Query(f"histogram_quantile({share}, sum by ({by}) (rate({metric}{{{_HERE}}}{_RATE})))", name)


def _within(metric: str, bound: str) -> Query:
    """Share that took *bound* seconds at most, over the time that is shown."""
    good = f'sum(increase({metric}_bucket{{{_HERE}, le="{bound}"}}[$__range]))'
    return Query(f"{good} / sum(increase({metric}_count{{{_HERE}}}[$__range]))", instant=True)


_PROMISES = Row(
    "What pult promises",
    (
        Panel(
            "Delivered within 5 minutes",
            "Of all events in the time shown. Promised: all of them.",
            (_within("pult_event_age_seconds", "300.0"),),
            unit="percentunit",
            kind="stat",
            width=6,
            height=5,
            limits=((0, RED), (1, GREEN)),
            most=1,
            runbooks=("SloMissed", "SloBroken"),
        ),
        Panel(
            "Answered within 2 s",
            "Of all commands in the time shown. Promised: 99 %.",
            (_within("pult_command_seconds", "2.0"),),
            unit="percentunit",
            kind="stat",
            width=6,
            height=5,
            limits=((0, RED), (0.99, GREEN)),
            most=1,
            runbooks=("PultCommandsSlow",),
        ),
        Panel(
            "Up",
            "Share of the scrapes that pult answered in the time shown. Promised: 99.5 %.",
            (Query(f'avg(avg_over_time(up{{job="pult", {_HERE}}}[$__range]))', instant=True),),
            unit="percentunit",
            kind="stat",
            width=6,
            height=5,
            limits=((0, RED), (0.995, GREEN)),
            most=1,
            runbooks=("PultDown", "PultAbsent"),
        ),
        Panel(
            "Version",
            "Replicas by version; two of them while a rollout goes on.",
            (Query(f"count by (version) (pult_build_info{{{_HERE}}})", "{{version}}", instant=True),),
            kind="stat",
            width=6,
            height=5,
        ),
    ),
)

_IN = Row(
    "What comes in",
    (
        Panel(
            "Webhooks",
            "A second, by who sent them and what became of them.",
            (
                Query(
                    f"sum by (source, result) (rate(pult_webhook_received_total{{{_SOURCE}}}{_RATE}))",
                    "{{source}} {{result}}",
                ),
            ),
            unit="reqps",
            stacked=True,
            runbooks=("PultHearsNothing",),
        ),
        Panel(
            "Refused in 5 minutes",
            "What is said there is lost to pult, unless the sender comes again.",
            (
                Query(
                    f"source_result_region:pult_webhook_refused:increase5m{{{_SOURCE}}}",
                    "{{source}} {{result}} {{region}}",
                ),
            ),
            limits=((3, YELLOW),),
            runbooks=("PultWebhooksRefused",),
        ),
        Panel(
            "From receipt to delivery",
            "How long half, 95 % and 99 % of the events take at most.",
            (
                _quantile("0.5", "pult_event_age_seconds_bucket", "p50"),
                _quantile("0.95", "pult_event_age_seconds_bucket", "p95"),
                _quantile("0.99", "pult_event_age_seconds_bucket", "p99"),
            ),
            unit="s",
            limits=((60, YELLOW), (300, RED)),
            runbooks=("PultUndelivered",),
        ),
    ),
)

_OUT = Row(
    "What goes out",
    (
        Panel(
            "Oldest that waits",
            "By destination; a gap: nothing waits. A page is promised within 60 s.",
            (Query(f"max by (destination) (pult_oldest_undelivered_seconds{{{_HERE}}})", "{{destination}}"),),
            unit="s",
            limits=((60, RED),),
            runbooks=("PultUndelivered",),
        ),
        Panel(
            "Cards that wait",
            "By destination; a gap: none. At 100,000 together, unless configured otherwise, webhooks are answered 503.",
            (Query(f"max by (destination) (pult_outbox_depth{{{_HERE}}})", "{{destination}}"),),
            limits=((1000, YELLOW), (50000, RED)),
            stacked=True,
            runbooks=("PultBacklog",),
        ),
        Panel(
            "Deliveries",
            "Posts and edits a second, by platform and result.",
            (
                Query(
                    f"sum by (platform, result) (rate(pult_delivery_total{{{_HERE}}}{_RATE}))",
                    "{{platform}} {{result}}",
                ),
            ),
            unit="reqps",
            stacked=True,
            runbooks=("PultDeliveryFailing",),
        ),
        Panel(
            "Failing deliveries",
            "Share of the last 5 minutes, by platform.",
            (Query(f"platform_region:pult_delivery_failures:ratio5m{{{_HERE}}}", "{{platform}} {{region}}"),),
            unit="percentunit",
            limits=((0.1, YELLOW), (0.99, RED)),
            most=1,
            runbooks=("PultDeliveryFailing",),
        ),
        Panel(
            "Kept aside",
            "Events that replicas took while the store was away, and have not merged yet.",
            (Query(f"sum by (region) (pult_spool_events{{{_HERE}}})", "{{region}}"),),
            runbooks=("PultDependencyDown",),
        ),
        Panel(
            "The canary's way",
            "From a webhook of its own to its delivery, once a minute. A gap: the last one was lost.",
            (Query(f"max by (region) (pult_canary_seconds{{{_HERE}}})", "{{region}}"),),
            unit="s",
            runbooks=("PultCanaryLost",),
        ),
    ),
)

_ASKED = Row(
    "What people ask and do",
    (
        Panel(
            "Commands",
            "A minute, by platform.",
            (Query(f"60 * sum by (platform) (rate(pult_command_seconds_count{{{_HERE}}}{_RATE}))", "{{platform}}"),),
            stacked=True,
        ),
        Panel(
            "Time to answer, by command",
            "95 % take no longer.",
            (_quantile("0.95", "pult_command_seconds_bucket", "{{command}}", "command, le"),),
            unit="s",
            limits=((2, RED),),
            runbooks=("PultCommandsSlow",),
        ),
        Panel(
            "Operations ended in an hour",
            "By kind and how they ended.",
            (Query(f"sum by (kind, result) (increase(pult_operation_total{{{_HERE}}}[1h]))", "{{kind}} {{result}}"),),
            stacked=True,
        ),
    ),
)

_NEEDS = Row(
    "What it needs",
    (
        Panel(
            "Dependencies",
            "1 while they answer.",
            (Query(f"max by (name) (pult_dependency_up{{{_HERE}}})", "{{name}}"),),
            kind="state-timeline",
            width=12,
            limits=((1, GREEN),),
            words=(("0", "no answer", RED), ("1", "answers", GREEN)),
            runbooks=("PultDependencyDown",),
        ),
        Panel(
            "Leases",
            "How many replicas hold each: one, and for seconds none while it is handed over. On SQLite there are none.",
            (Query(f"sum by (lease) (pult_lease_owner{{{_HERE}}})", "{{lease}}"),),
            kind="state-timeline",
            width=12,
            limits=((1, GREEN), (2, RED)),
            words=(("0", "nobody", RED), ("1", "one", GREEN)),
            runbooks=("PultLeaseFree",),
        ),
        Panel(
            "CPU",
            "Cores, by pod.",
            (
                Query(
                    f"sum by (region, pod) (rate(container_cpu_usage_seconds_total{{{_OWN}}}{_RATE}))",
                    "{{region}} {{pod}}",
                ),
            ),
            width=6,
        ),
        Panel(
            "Memory",
            "Working set, by pod, and the limit.",
            (
                Query(
                    f"max by (region, pod) (container_memory_working_set_bytes{{{_OWN}}})",
                    "{{region}} {{pod}}",
                ),
                Query(
                    f'max(kube_pod_container_resource_limits{{{_OWN}, resource="memory"}})',
                    "limit",
                ),
            ),
            unit="bytes",
            width=6,
        ),
        Panel(
            "Volume, free",
            "Of the volume that holds the store, where that is SQLite.",
            (
                Query(
                    f'{_FREE}{{{_HERE}, namespace="pult"}}',
                    "{{persistentvolumeclaim}} {{region}}",
                ),
            ),
            unit="percentunit",
            limits=FREE,
            most=1,
            runbooks=("VolumeFillingUp",),
        ),
        Panel(
            "Lines that say error",
            "In pult's own log, with the reference that people are told to quote.",
            (Query('{namespace="pult", app="pult", cluster=~"$region"} | level=~"error|critical"'),),
            kind="logs",
            source="loki",
            width=16,
            runbooks=("LogErrorsHigh",),
        ),
    ),
)

BOARD = Board(
    uid="pult",
    title="pult",
    about="What comes in, what goes out, how late, and what pult needs.",
    choices=(
        Choice("region", "region", 'up{job="pult"}'),
        Choice("source", "source", f"pult_webhook_received_total{{{_HERE}}}"),
    ),
    rows=(_PROMISES, _IN, _OUT, _ASKED, _NEEDS),
    firing=f'service="pult", {_HERE}',
    logs=True,
)
