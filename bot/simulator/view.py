"""The world as JSON, for demos, tests and curious people."""

from bot.simulator.alertmanager import Manager
from bot.simulator.faults import REGIONS, SERVICES, Fault
from bot.simulator.kubernetes import images
from bot.simulator.prometheus import Metrics
from bot.simulator.prometheus.values import Labels
from bot.simulator.world import World

_WINDOW = "10s"
Json = dict[str, object]


def world_view(world: World, metrics: Metrics, manager: Manager) -> Json:
    """Everything worth knowing at this moment."""
    metrics.look()
    return {
        "now": world.clock.now().isoformat(),
        "speed": world.speed,
        "services": _services(world, metrics),
        "traffic": world.cloud.traffic() if world.cloud else "",
        "database": _database(world),
        "faults": [fault_view(fault) for fault in world.faults.listed()],
        "alerts": [dict(sorted(alert.labels.items())) for alert in manager.firing()],
    }


def fault_view(fault: Fault) -> Json:
    return {
        "fault": fault.fault,
        "target": fault.target,
        "since": fault.since.isoformat(),
        "until": fault.until.isoformat() if fault.until else None,
        "value": fault.value,
        "delay": fault.delay,
    }


def _services(world: World, metrics: Metrics) -> Json:
    places = "sum by (service, region)"
    requests = metrics.read(f"{places} (rate(http_requests_total[{_WINDOW}]))")
    errors = metrics.read(f'{places} (rate(http_requests_total{{code=~"5.."}}[{_WINDOW}]))')
    buckets = f"sum by (service, region, le) (rate(http_request_duration_seconds_bucket[{_WINDOW}]))"
    slowest = metrics.read(f"histogram_quantile(0.99, {buckets})")
    services: Json = {}
    for service in SERVICES:
        production: Json = {}
        for region in REGIONS:
            place: Labels = (("region", region), ("service", service))
            total = requests.get(place, 0.0)
            production[region] = _running(world, region, "production", service) | {
                "requests_per_second": round(total, 3),
                "error_ratio": round(errors.get(place, 0.0) / total, 6) if total else None,
                "p99_seconds": round(slowest[place], 4) if total else None,
            }
        staging: Json = {REGIONS[0]: _running(world, REGIONS[0], "staging", service)}
        services[service] = {"production": production, "staging": staging}
    return services


def _running(world: World, region: str, namespace: str, service: str) -> Json:
    if world.clusters is None:
        return {}
    image = world.clusters.image(region, namespace, service)
    return {
        "version": images.version_of(image),
        "image": image,
        "ready": world.clusters.ready(region, namespace, service),
        "restarts": world.clusters.restarts(region, namespace, service),
    }


def _database(world: World) -> Json:
    if world.cloud is None:
        return {}
    lag = world.cloud.lag
    return {
        "primaries": world.cloud.primaries(),
        "writable": sorted(world.cloud.writable()),
        "lag_seconds": None if lag is None else round(lag, 3),
    }
