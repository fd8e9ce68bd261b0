"""What the department's services write to their logs: a pure function of pod and time, the same for every reader."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Final

from bot.simulator.kubernetes import images
from bot.simulator.kubernetes.cluster import Cluster
from bot.simulator.kubernetes.kinds import REPLICASET
from bot.simulator.kubernetes.wire import Json, labels_of, meta, namespace_of, spec_of, status_of

PERIOD: Final = 2.0
"""Wall seconds between two lines of a pod."""
KEPT: Final = timedelta(hours=1)
"""How much log of one container is kept on its node."""
USUAL: Final = 0.0005
"""Share of requests that fail when nothing is wrong."""
SLOW: Final = 0.015
_FAILURES: Final = ("connection refused", "context deadline exceeded", "unexpected end of JSON input")
_PATHS: Final = ("/v1/items", "/v1/orders", "/v1/users/me", "/healthz")


@dataclass(frozen=True)
class Said:
    """One line. ``level``: info, warn, error or fatal."""

    at: datetime
    level: str
    text: str


@dataclass(frozen=True)
class Life:
    """A container from its start to its end; ``ended`` is None while it runs. ``why`` is Error or OOMKilled."""

    began: datetime
    ended: datetime | None = None
    why: str = ""


def lives(pod: Json) -> tuple[Life | None, Life | None]:
    """The last life that ended, and the present one."""
    container = (status_of(pod).get("containerStatuses") or [{}])[0]
    over = (container.get("lastState") or {}).get("terminated")
    running = (container.get("state") or {}).get("running")
    last = Life(_time(over["startedAt"]), _time(over["finishedAt"]), over["reason"]) if over else None
    return last, Life(_time(running["startedAt"])) if running else None


def said(cluster: Cluster, pod: Json, life: Life, begin: datetime, end: datetime) -> Iterator[Said]:
    """What *life* said between two instants (the second is not in it), oldest first."""
    until = min(end, life.ended) if life.ended else end
    service = labels_of(pod).get("app", "")
    version = images.version_of(_image(pod)) or "unknown"
    for number, (level, words) in enumerate(_greeting(version)):
        at = life.began + timedelta(milliseconds=40 * number)
        if begin <= at < end:
            yield Said(at, level, _written(service, at, level, words))
    start = max(begin, life.began + timedelta(seconds=1))
    for tick in range(int(start.timestamp() // PERIOD), int(until.timestamp() // PERIOD) + 1):
        line = _request(cluster, pod, service, tick)
        if start <= line.at < until:
            yield line
    if life.ended and life.why != "OOMKilled" and begin <= life.ended < end:  # who is killed has no last words
        yield from _last_words(service, life.ended)


def _greeting(version: str) -> Iterator[tuple[str, dict[str, object]]]:
    yield "info", {"msg": "starting", "version": version}
    # What must never leave pult: here is something to mask.
    yield "info", {"msg": "connected", "dsn": "postgres://app:simulated-password@db-nyc2:5432/app"}
    yield "info", {"msg": "listening", "addr": ":8080"}


def _request(cluster: Cluster, pod: Json, service: str, tick: int) -> Said:
    dice = sha256(f"{meta(pod)['uid']}:{tick}".encode()).digest()
    at = datetime.fromtimestamp(tick * PERIOD, UTC) + timedelta(microseconds=int.from_bytes(dice[4:7]) % 1_900_000)
    chance = int.from_bytes(dice[:4]) / 2**32
    path, took = _PATHS[dice[7] % len(_PATHS)], 8 + dice[8] // 4
    if chance < failing(cluster, pod, at):
        why = _FAILURES[dice[9] % len(_FAILURES)]
        words = {"msg": "request failed", "route": path, "status": 500, "took": f"{took * 9}ms", "err": why}
        return Said(at, "error", _written(service, at, "error", words))
    if chance > 1 - SLOW:
        words = {"msg": "slow query", "route": path, "took": f"{took * 20}ms"}
        return Said(at, "warn", _written(service, at, "warn", words))
    words = {"msg": "request", "route": path, "status": 200, "took": f"{took}ms"}
    return Said(at, "info", _written(service, at, "info", words))


def failing(cluster: Cluster, pod: Json, at: datetime) -> float:
    """Share of requests that this pod failed at that time, as the metrics have it."""
    faults, service, image = cluster.world.faults, labels_of(pod).get("app", ""), _image(pod)
    shares = [USUAL, images.BAD_RATIO if images.bad(service, image) else 0.0]
    if errors := faults.at("errors", service, at):
        shares.append(errors.value)
    release = faults.at("bad_release", service, at)
    if release and not _ran_before(cluster, pod, image, release.since):
        shares.append(release.value)
    return max(shares)


def _ran_before(cluster: Cluster, pod: Json, image: str, since: datetime) -> bool:
    """What ran when a release goes bad is sound; only what is rolled out after it is not."""
    service = labels_of(pod).get("app", "")
    return any(
        _time(meta(one)["creationTimestamp"]) <= since and _image(spec_of(one)["template"]) == image
        for one in cluster.store.all(REPLICASET, namespace_of(pod))
        if labels_of(one).get("app") == service
    )


def _last_words(service: str, at: datetime) -> Iterator[Said]:
    text = "runtime error: invalid memory address or nil pointer dereference"
    yield Said(at, "fatal", _written(service, at, "fatal", {"msg": "unhandled", "err": text}))
    trace = (f"panic: {text}", "[signal SIGSEGV: segmentation violation]", "goroutine 1 [running]:", "main.serve(...)")
    for number, line in enumerate((*trace, "\t/app/main.go:88 +0x1d4"), 1):
        yield Said(at + timedelta(microseconds=number), "fatal" if number == 1 else "info", line)


def _written(service: str, at: datetime, level: str, words: dict[str, object]) -> str:
    """Each service has a format of its own, as in life: JSON, klog, plain words, logfmt."""
    match service:
        case "bots":
            return json.dumps({"time": at.isoformat(timespec="milliseconds"), "level": level} | words)
        case "worker":
            letter = {"info": "I", "warn": "W", "error": "E", "fatal": "F"}[level]
            rest = " ".join(f'{key}="{value}"' for key, value in words.items() if key != "msg")
            return f'{letter}{at:%m%d %H:%M:%S.%f}       1 worker.go:214] "{words["msg"]}" {rest}'
        case "web":
            rest = " ".join(f"{key}={value}" for key, value in words.items() if key != "msg")
            stamp = f"{at:%Y-%m-%d %H:%M:%S},{at.microsecond // 1000:03d}"
            return f"{stamp} {level.upper():5} web.views: {words['msg']} {rest}"
        case _:
            listed = (f'{key}="{value}"' if " " in str(value) else f"{key}={value}" for key, value in words.items())
            return f"level={level} {' '.join(listed)}"


def _image(pod: Json) -> str:
    return str(spec_of(pod)["containers"][0]["image"])


def _time(written: str) -> datetime:
    return datetime.fromisoformat(written)
