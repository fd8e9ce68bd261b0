"""What pult's own alerts about workloads say, and what to press besides."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

from bot.domain.alerts import Group
from bot.domain.messages import Button
from bot.domain.phrases import Code, Phrase, phrase
from bot.domain.trouble import Trouble
from bot.domain.watched import MARKED


def said(group: Group) -> Phrase | None:
    """One sentence on what is wrong; None for an alert about something else."""
    if not group.common(MARKED) or group.name not in _SENTENCES:
        return None
    where = phrase(
        "{workload} in {cluster}/{namespace}",
        workload=Code(group.common(MARKED)), cluster=group.common("cluster"), namespace=group.common("namespace"),
    )  # fmt: skip
    return _SENTENCES[group.name](group, where)


def buttons(group: Group) -> tuple[Button, ...]:
    """Its pods, and what happened to them; a workload that is no service has no commands."""
    if not group.common("environment") or group.common(MARKED).startswith("certificate/"):
        return ()
    service = group.service
    return Button(phrase("Pods"), f"pods {service}"), Button(phrase("Events"), f"events {service}")


def _restarts(group: Group, where: Phrase) -> Phrase:
    if how := group.common("how"):
        return phrase("Containers of {where} die again and again; the last one: {how}.", where=where, how=Code(how))
    return phrase("Containers of {where} die again and again.", where=where)


def _memory(group: Group, where: Phrase) -> Phrase:
    container = Code(group.common("container") or "?")
    return phrase(
        "Container {container} of {where} was killed for using more memory than its limit.",
        container=container, where=where,
    )  # fmt: skip


def _pending(group: Group, where: Phrase) -> Phrase:
    if why := group.common("why"):
        return phrase("Pods of {where} wait to run: {why}", where=where, why=why)
    return phrase("Pods of {where} wait to run, and the scheduler does not say why: see their events.", where=where)


def _images(group: Group, where: Phrase) -> Phrase:
    image = Code(group.common("image") or "?")
    return phrase("Pods of {where} can't start: their image {image} can't be pulled.", where=where, image=image)


def _rollouts(group: Group, where: Phrase) -> Phrase:
    if why := group.common("why"):
        return phrase("The rollout of {where} does not get through: {why}", where=where, why=why)
    return phrase("The rollout of {where} has stood still for too long.", where=where)


def _jobs(group: Group, where: Phrase) -> Phrase:
    return phrase("The last run of {where} failed: {why}", where=where, why=group.common("why") or "–")


def _certificates(group: Group, where: Phrase) -> Phrase:
    why = group.common("why")
    if expires := group.common("expires"):
        at = datetime.fromisoformat(expires)
        if why:
            return phrase("{where} ends {at} and was not renewed: {why}", where=where, at=at, why=why)
        return phrase("{where} ends {at} and was not renewed.", where=where, at=at)
    return phrase("{where} is not ready: {why}", where=where, why=why or "–")


_SENTENCES: Mapping[str, Callable[[Group, Phrase], Phrase]] = {
    Trouble.RESTARTS: _restarts,
    Trouble.MEMORY: _memory,
    Trouble.PENDING: _pending,
    Trouble.IMAGES: _images,
    Trouble.ROLLOUTS: _rollouts,
    Trouble.JOBS: _jobs,
    Trouble.CERTIFICATES: _certificates,
}
