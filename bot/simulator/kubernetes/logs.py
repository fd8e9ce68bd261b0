"""pods/log."""

from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime, timedelta

from aiohttp import web

from bot.simulator.kubernetes import errors
from bot.simulator.kubernetes.chatter import KEPT, Life, Said, lives, said
from bot.simulator.kubernetes.cluster import Cluster
from bot.simulator.kubernetes.kinds import POD
from bot.simulator.kubernetes.reads import POLL, attended
from bot.simulator.kubernetes.target import Target
from bot.simulator.kubernetes.wire import Json, micro, name_of, namespace_of, spec_of, status_of


async def log(cluster: Cluster, target: Target, request: web.Request) -> web.StreamResponse:
    """text/plain; container, sinceSeconds or sinceTime, tailLines, limitBytes, timestamps, previous, follow."""
    pod = cluster.store.get(POD, target.namespace, target.name)
    query = request.query
    life = _life(pod, query)
    now, stamped = cluster.now(), query.get("timestamps") == "true"
    lines = list(said(cluster, pod, life, _begin(query, now), now))
    if "tailLines" in query:
        lines = lines[max(len(lines) - _number(query, "tailLines"), 0) :]
    if query.get("follow") == "true":
        return await _follow(cluster, pod, request, lines, stamped=stamped)
    body = "".join(_text(line, stamped=stamped) for line in lines).encode()
    limit = _number(query, "limitBytes") if "limitBytes" in query else len(body)
    return web.Response(body=body[:limit], content_type="text/plain")


async def _follow(
    cluster: Cluster, pod: Json, request: web.Request, lines: list[Said], *, stamped: bool
) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "text/plain"})
    response.enable_chunked_encoding()
    await response.prepare(request)
    last = cluster.now()
    with suppress(ConnectionResetError):  # the client left
        while attended(request) and (found := _there(cluster, pod)):
            for line in lines:
                await response.write(_text(line, stamped=stamped).encode())
            await cluster.store.news(POLL)
            now, (_, present) = cluster.now(), lives(found)
            lines = list(said(cluster, found, present, last, now)) if present else []
            last = now
    return response


def _there(cluster: Cluster, pod: Json) -> Json | None:
    if cluster.store.closed or cluster.down:
        return None
    return cluster.store.find(POD, namespace_of(pod), name_of(pod))


def _life(pod: Json, query: Mapping[str, str]) -> Life:
    """Which life of the container is asked for; 400 when there is none (kubelet_pods.go, validateContainerLogStatus).

    A container that waits for its restart answers with its last life, also when nobody asks for that.
    """
    container, name = spec_of(pod)["containers"][0]["name"], name_of(pod)
    if query.get("container", container) != container:
        raise errors.bad_request(f"container {query['container']} is not valid for pod {name}")
    over, present = lives(pod)
    if query.get("previous") == "true":
        if over is None:
            raise errors.bad_request(f'previous terminated container "{container}" in pod "{name}" not found')
        return over
    found = present or over
    if found is None:
        states = status_of(pod).get("containerStatuses") or [{"state": {"waiting": {"reason": "Pending"}}}]
        reason = (states[0]["state"].get("waiting") or {}).get("reason", "ContainerCreating")
        raise errors.bad_request(f'container "{container}" in pod "{name}" is waiting to start: {reason}')
    return found


def _begin(query: Mapping[str, str], now: datetime) -> datetime:
    if "sinceSeconds" in query and "sinceTime" in query:
        raise errors.bad_request("at most one of `sinceTime` or `sinceSeconds` may be specified")
    oldest = now - KEPT
    if "sinceSeconds" in query:
        return max(oldest, now - timedelta(seconds=_number(query, "sinceSeconds", 1)))
    if "sinceTime" in query:
        try:
            return max(oldest, datetime.fromisoformat(query["sinceTime"]))
        except (ValueError, TypeError) as error:
            raise errors.bad_request(f"sinceTime: Invalid value: {query['sinceTime']!r}") from error
    return oldest


def _number(query: Mapping[str, str], name: str, least: int = 0) -> int:
    given = query[name]
    if not given.isdecimal() or int(given) < least:
        raise errors.bad_request(f"{name}: Invalid value: {given!r}: must be greater than or equal to {least}")
    return int(given)


def _text(line: Said, *, stamped: bool) -> str:
    return f"{micro(line.at)} {line.text}\n" if stamped else f"{line.text}\n"
