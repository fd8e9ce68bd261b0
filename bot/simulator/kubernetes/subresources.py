"""pods/log, pods/eviction, */scale."""

from contextlib import suppress
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Final

from aiohttp import web

from bot.simulator.kubernetes import budgets, errors, patches
from bot.simulator.kubernetes.cluster import Cluster
from bot.simulator.kubernetes.kinds import POD
from bot.simulator.kubernetes.reads import POLL, attended
from bot.simulator.kubernetes.target import Target
from bot.simulator.kubernetes.wire import Json, meta, micro, name_of, namespace_of, spec_of, status_of
from bot.simulator.kubernetes.writes import Options, replace

LINE_PERIOD: Final = 5.0
"""Wall seconds between two log lines of a pod."""
LOG_KEPT: Final = 3600.0
"""Wall seconds of log kept for one container."""


def evict(cluster: Cluster, target: Target, body: Json, options: Options) -> Json:
    """POST …/pods/{name}/eviction with a policy/v1 Eviction: 201, or 429 when a budget says not now."""
    if body.get("kind") != "Eviction":
        raise errors.bad_request("the body of an eviction is a policy/v1 Eviction")
    pod = cluster.store.get(POD, target.namespace, target.name)
    dry = options.dry or "All" in ((body.get("deleteOptions") or {}).get("dryRun") or ())
    budgets.evict(cluster, pod, cluster.now(), dry=dry)
    return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201}


def scale(cluster: Cluster, target: Target) -> Json:
    """The autoscaling/v1 Scale of a workload."""
    obj = cluster.store.get(target.kind(), target.namespace, target.name)
    return _scale_of(obj)


def rescale(cluster: Cluster, target: Target, content_type: str, body: Json, options: Options) -> Json:
    """PUT or PATCH of a Scale: only spec.replicas counts."""
    before = cluster.store.get(target.kind(), target.namespace, target.name)
    wanted = _scaled(_scale_of(before), content_type, body)
    metadata = meta(before)
    if version := meta(wanted).get("resourceVersion"):
        metadata = metadata | {"resourceVersion": version}
    after = before | {"metadata": metadata, "spec": spec_of(before) | {"replicas": spec_of(wanted).get("replicas", 0)}}
    return _scale_of(replace(cluster, target, before, after, options))


async def log(cluster: Cluster, target: Target, request: web.Request) -> web.StreamResponse:
    """text/plain; sinceSeconds, tailLines, timestamps, previous and follow are obeyed."""
    pod = cluster.store.get(POD, target.namespace, target.name)
    _check_started(pod)
    now, query = cluster.now(), request.query
    lines = _lines(pod, now, float(query.get("sinceSeconds") or LOG_KEPT))
    if "tailLines" in query:
        lines = lines[max(len(lines) - int(query["tailLines"]), 0) :]
    stamped = query.get("timestamps") == "true"
    if query.get("follow") != "true":
        return web.Response(text="".join(_text(line, stamped=stamped) for line in lines), content_type="text/plain")
    return await _follow(cluster, pod, request, lines, stamped=stamped)


async def _follow(
    cluster: Cluster, pod: Json, request: web.Request, lines: list[tuple[datetime, str]], *, stamped: bool
) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "text/plain"})
    response.enable_chunked_encoding()
    await response.prepare(request)
    last = cluster.now()
    with suppress(ConnectionResetError):  # the client left
        while attended(request) and _there(cluster, pod):
            for line in lines:
                await response.write(_text(line, stamped=stamped).encode())
            await cluster.store.news(POLL)
            now = cluster.now()
            lines = [line for line in _lines(pod, now, LOG_KEPT) if line[0] > last]
            last = now
    return response


def _there(cluster: Cluster, pod: Json) -> bool:
    alive = not (cluster.store.closed or cluster.down)
    return alive and cluster.store.find(POD, namespace_of(pod), name_of(pod)) is not None


def _check_started(pod: Json) -> None:
    statuses = status_of(pod).get("containerStatuses") or [{"state": {"waiting": {"reason": "Pending"}}}]
    waiting = statuses[0]["state"].get("waiting")
    if waiting and waiting["reason"] != "CrashLoopBackOff":
        container = spec_of(pod)["containers"][0]["name"]
        why = f'container "{container}" in pod "{name_of(pod)}" is waiting to start: {waiting["reason"]}'
        raise errors.bad_request(why)


def _lines(pod: Json, now: datetime, seconds: float) -> list[tuple[datetime, str]]:
    """The log as a pure function of pod and time: the same line stands at the same instant for every reader."""
    begin = max(datetime.fromisoformat(status_of(pod)["startTime"]), now - timedelta(seconds=min(seconds, LOG_KEPT)))
    tick = int(begin.timestamp() // LINE_PERIOD) + 1
    moments = range(tick, int(now.timestamp() // LINE_PERIOD) + 1)
    uid = meta(pod)["uid"]
    return [(datetime.fromtimestamp(t * LINE_PERIOD, tz=now.tzinfo), _line(uid, t)) for t in moments]


def _line(uid: str, tick: int) -> str:
    dice = sha256(f"{uid}:{tick}".encode()).digest()
    took = 8 + dice[0] // 4
    if dice[1] < 4:
        return f'level=warn msg="slow query" route=/v1/items took={took * 20}ms'
    return f'level=info msg="request" route=/v1/items status=200 took={took}ms'


def _text(line: tuple[datetime, str], *, stamped: bool) -> str:
    return f"{micro(line[0])} {line[1]}\n" if stamped else f"{line[1]}\n"


def _scale_of(obj: Json) -> Json:
    kept = ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")
    labels = (spec_of(obj).get("selector") or {}).get("matchLabels") or {}
    return {
        "kind": "Scale",
        "apiVersion": "autoscaling/v1",
        "metadata": {key: meta(obj)[key] for key in kept if key in meta(obj)},
        "spec": {"replicas": spec_of(obj).get("replicas", 1)},
        "status": {
            "replicas": status_of(obj).get("replicas", 0),
            "selector": ",".join(f"{key}={value}" for key, value in labels.items()),
        },
    }


def _scaled(scale_now: Json, content_type: str, body: Json) -> Json:
    match content_type:
        case patches.JSON_PATCH:
            operations: object = body
            return patches.json_patch(scale_now, operations)  # type: ignore[arg-type]
        case patches.MERGE | patches.STRATEGIC | patches.APPLY:
            merged: Json = patches.merge(scale_now, body)
            return merged
        case _:
            return body
