"""A service: its requests, failures and times (RED), and how full what it runs on is, by region."""

from __future__ import annotations

from deploy.monitoring.generate.panels import RED, YELLOW, Board, Choice, Panel, Query, Row

_HERE = 'service=~"$service", region=~"$region"'
_OWNER = f"* on (region, namespace, pod) group_left (service) region_namespace_pod:kube_pod_owner:service{{{_HERE}}}"
_BUCKETS = "service_region_le:http_request_duration_seconds_bucket:rate5m"
_CONTAINER = 'container!="", container!="POD", region=~"$region"'
_SCALER = '{region=~"$region", horizontalpodautoscaler=~"$service"}'
_BY = "sum by (service, region, namespace)"
_PLACE = "{{service}} {{region}}"
_SPACE = "{{service}} {{region}} {{namespace}}"


def _quantile(share: str, name: str) -> Query:
    return Query(f"histogram_quantile({share}, {_BUCKETS}{{{_HERE}}})", f"{_PLACE} {name}")


def _of(used: str, bound: str) -> str:
    """Share of *bound* that is *used*, of all containers of the service that have such a bound."""
    bounded = f"max by (region, namespace, pod, container) ({bound})"
    part = f"sum by (region, namespace, pod, container) ({used}) and on (region, namespace, pod, container) {bounded}"
    return f"{_BY} (({part}) {_OWNER}) / {_BY} ({bounded} {_OWNER})"


_CPU = f"rate(container_cpu_usage_seconds_total{{{_CONTAINER}}}[$__rate_interval])"
_MEMORY = f"container_memory_working_set_bytes{{{_CONTAINER}}}"


def _asked(kind: str, resource: str) -> str:
    return f'kube_pod_container_resource_{kind}{{resource="{resource}", region=~"$region"}}'


_REQUESTS = Row(
    "Requests",
    (
        Panel(
            "Requests",
            "Requests a second, by region.",
            (Query(f"service_region:http_requests:rate5m{{{_HERE}}}", _PLACE),),
            unit="reqps",
        ),
        Panel(
            "Failing",
            "Share of requests that are answered with 5xx. Lines: where a warning and a page begin.",
            (Query(f"service_region:http_errors:ratio_rate5m{{{_HERE}}}", _PLACE),),
            unit="percentunit",
            limits=((0.01, YELLOW), (0.05, RED)),
            runbooks=("ErrorRateHigh", "SloBurn"),
        ),
        Panel(
            "Times",
            "How long half, 95 % and 99 % of the requests take at most.",
            (_quantile("0.5", "p50"), _quantile("0.95", "p95"), _quantile("0.99", "p99")),
            unit="s",
            limits=((5, RED),),
            runbooks=("LatencyHigh",),
        ),
        Panel(
            "Answers",
            "Requests a second by the code of the answer.",
            (
                Query(
                    f"sum by (code, region) (service_region_code:http_requests:rate5m{{{_HERE}}})",
                    "{{code}} {{region}}",
                ),
            ),
            unit="reqps",
            stacked=True,
        ),
        Panel(
            "Seen from outside",
            "Share of the probers outside that get an answer, for each address.",
            (Query(f"service_region_instance:probe_success:avg{{{_HERE}}}", "{{instance}} {{region}}"),),
            unit="percentunit",
            most=1,
            runbooks=("EndpointDown", "RegionUnreachable"),
        ),
        Panel(
            "Scraped",
            "Share of the targets that answer Prometheus. Where it is 0, everything else here is blind.",
            (Query(f"job_service_region:up:avg{{{_HERE}}}", "{{job}} {{region}}"),),
            unit="percentunit",
            most=1,
            runbooks=("TargetDown",),
        ),
    ),
)

_SATURATION = Row(
    "Saturation",
    (
        Panel(
            "CPU, of what is requested",
            "Above 100 % it lives on what others leave.",
            (Query(_of(_CPU, _asked("requests", "cpu")), _SPACE),),
            unit="percentunit",
            limits=((1, YELLOW),),
        ),
        Panel(
            "CPU, of the limit",
            "At the limit the kernel throttles. Containers without a limit are not counted.",
            (Query(_of(_CPU, _asked("limits", "cpu")), _SPACE),),
            unit="percentunit",
            limits=((0.8, YELLOW), (1, RED)),
            runbooks=("ContainerCpuHigh",),
        ),
        Panel(
            "Throttled",
            "Share of the periods of 100 ms in which the kernel held containers back.",
            (
                Query(
                    f"{_BY} (sum by (region, namespace, pod)"
                    f" (rate(container_cpu_cfs_throttled_periods_total{{{_CONTAINER}}}[$__rate_interval])) {_OWNER})"
                    f" / {_BY} (sum by (region, namespace, pod)"
                    f" (rate(container_cpu_cfs_periods_total{{{_CONTAINER}}}[$__rate_interval])) {_OWNER})",
                    _SPACE,
                ),
            ),
            unit="percentunit",
            limits=((0.25, YELLOW),),
        ),
        Panel(
            "Memory, of the limit",
            "At the limit the container is killed.",
            (Query(_of(_MEMORY, _asked("limits", "memory")), _SPACE),),
            unit="percentunit",
            limits=((0.9, YELLOW), (1, RED)),
            runbooks=("OutOfMemory",),
        ),
        Panel(
            "Memory",
            "Working set of all its containers.",
            (Query(f"{_BY} (sum by (region, namespace, pod) ({_MEMORY}) {_OWNER})", _SPACE),),
            unit="bytes",
        ),
        Panel(
            "Restarts in an hour",
            "Of all its containers together.",
            (
                Query(
                    f"{_BY} (sum by (region, namespace, pod)"
                    f' (increase(kube_pod_container_status_restarts_total{{region=~"$region"}}[1h])) {_OWNER})',
                    _SPACE,
                ),
            ),
            limits=((5, RED),),
            runbooks=("PodRestarting", "RestartStorm"),
        ),
        Panel(
            "Replicas",
            "Ready and wanted.",
            tuple(
                Query(
                    f'sum by (deployment, region, namespace) ({metric}{{deployment=~"$service", region=~"$region"}})',
                    "{{deployment}} {{region}} {{namespace}} " + word,
                )
                for metric, word in (
                    ("kube_deployment_status_replicas_available", "ready"),
                    ("kube_deployment_spec_replicas", "wanted"),
                )
            ),
            runbooks=("PodPending", "RolloutStuck"),
        ),
        Panel(
            "Autoscaler, of its maximum",
            "At 100 % it can give no more.",
            (
                Query(
                    "max by (horizontalpodautoscaler, region, namespace)"
                    f" (kube_horizontalpodautoscaler_status_current_replicas{_SCALER})"
                    " / max by (horizontalpodautoscaler, region, namespace)"
                    f" (kube_horizontalpodautoscaler_spec_max_replicas{_SCALER})",
                    "{{horizontalpodautoscaler}} {{region}}",
                ),
            ),
            unit="percentunit",
            limits=((1, YELLOW),),
        ),
        Panel(
            "Error budgets left",
            "Of the service's SLOs, over their whole windows. Negative: overspent.",
            (
                Query(
                    'slo:period_error_budget_remaining:ratio{service=~"$service"}', "{{service}} {{slo}}", instant=True
                ),
            ),
            unit="percentunit",
            kind="bargauge",
            least=None,
            most=1,
            runbooks=("SloBurn", "SloBudgetSpent"),
        ),
    ),
)

_LINES = '{namespace=~".+", app=~"$service", cluster=~"$region"}'
"""Loki refuses a selector of which nothing is sure to be there: with every service chosen, the namespace is."""
_LOGS = Row(
    "Logs",
    (
        Panel(
            "Lines that say error",
            "By region, in the logs of the service.",
            (
                Query(
                    f'sum by (app, cluster) (count_over_time({_LINES} | level=~"error|critical|fatal" [5m]))',
                    "{{app}} {{cluster}}",
                ),
            ),
            source="loki",
            runbooks=("LogErrorsHigh",),
        ),
        Panel(
            "The newest of them",
            "`logs` asks for the same in chat.",
            (Query(f'{_LINES} | level=~"error|critical|fatal"'),),
            kind="logs",
            source="loki",
            width=16,
        ),
    ),
)

BOARD = Board(
    uid="service",
    title="Service",
    about="Requests, failures and times of a service, and how full what it runs on is, by region.",
    choices=(
        Choice("service", "service", "job_service_region:up:avg"),
        Choice("region", "region", 'job_service_region:up:avg{service=~"$service"}'),
    ),
    rows=(_REQUESTS, _SATURATION, _LOGS),
    firing=_HERE,
    logs=True,
)
