"""Machines: CPU, memory, disks, and what was asked of them."""

from __future__ import annotations

from deploy.monitoring.generate.panels import FREE, RED, YELLOW, Board, Choice, Panel, Query, Row

_HERE = 'instance=~"$instance", region=~"$region"'
_DISKS = f'{_HERE}, fstype!~"tmpfs|overlay|squashfs|iso9660"'
_PLACE = "{{instance}} {{region}}"
_RATE = "[$__rate_interval]"

_MACHINES = Row(
    "Machines",
    (
        Panel(
            "CPU",
            "Share that works; waiting for a disk is no work.",
            (
                Query(
                    "1 - avg by (region, instance) (sum by (region, instance, cpu)"
                    f' (rate(node_cpu_seconds_total{{mode=~"idle|iowait", {_HERE}}}{_RATE})))',
                    _PLACE,
                ),
            ),
            unit="percentunit",
            limits=((0.8, YELLOW),),
            most=1,
            runbooks=("NodeCpuHigh",),
        ),
        Panel(
            "Memory",
            "Share that cannot be given to anybody.",
            (Query(f"1 - node_memory_MemAvailable_bytes{{{_HERE}}} / node_memory_MemTotal_bytes{{{_HERE}}}", _PLACE),),
            unit="percentunit",
            limits=((0.9, RED),),
            most=1,
        ),
        Panel(
            "Disks, free",
            "By mount point.",
            (
                Query(
                    f"node_filesystem_avail_bytes{{{_DISKS}}} / node_filesystem_size_bytes{{{_DISKS}}}",
                    f"{_PLACE} {{{{mountpoint}}}}",
                ),
            ),
            unit="percentunit",
            limits=FREE,
            most=1,
        ),
        Panel(
            "Load, of its cores",
            "Above 100 % something waits for its turn.",
            (
                Query(
                    f"node_load5{{{_HERE}}} / on (region, instance)"
                    f' count by (region, instance) (node_cpu_seconds_total{{mode="idle", {_HERE}}})',
                    _PLACE,
                ),
            ),
            unit="percentunit",
            limits=((1, YELLOW),),
        ),
        Panel(
            "Volumes, free",
            "Of every claim in the region.",
            (
                Query(
                    'persistentvolumeclaim_namespace_region:kubelet_volume_stats_free:ratio{region=~"$region"}',
                    "{{namespace}} {{persistentvolumeclaim}} {{region}}",
                ),
            ),
            unit="percentunit",
            limits=FREE,
            most=1,
            runbooks=("VolumeFillingUp",),
        ),
        Panel(
            "Requested",
            "Share of what the region's nodes have, that containers ask for.",
            tuple(
                Query(
                    "sum by (region) (max by (region, namespace, pod, container)"
                    f' (kube_pod_container_resource_requests{{resource="{resource}", region=~"$region"}}))'
                    " / sum by (region) (max by (region, node)"
                    f' (kube_node_status_capacity{{resource="{resource}", region=~"$region"}}))',
                    "{{region}} " + resource,
                )
                for resource in ("cpu", "memory")
            ),
            unit="percentunit",
            limits=((0.9, YELLOW),),
            runbooks=("PodPending",),
        ),
    ),
)

BOARD = Board(
    uid="node",
    title="Nodes",
    about="What the machines do, and what was asked of them.",
    choices=(
        Choice("region", "region", "kube_node_status_capacity"),
        Choice("instance", "instance", 'node_cpu_seconds_total{region=~"$region"}'),
    ),
    rows=(_MACHINES,),
    firing='service="node", region=~"$region"',
)
