"""What GitHub says of workflows and deployments: runs, where a commit was deployed, which run waits for a word."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

from bot.domain.events import Heard
from bot.domain.releases import Fate, Ran
from bot.domain.sightings import Finished, Gate, Sighting
from bot.ports.webhooks import Delivery
from handlers.webhooks.body import moment, part, text, whole
from handlers.webhooks.names import Names, versioned

GOOD = frozenset({"success", "neutral", "skipped"})
"""Conclusions that keep nothing from being released."""
FATES = {
    "success": Fate.GOOD,
    "failure": Fate.BAD,
    "error": Fate.BAD,
    "in_progress": Fate.RUNNING,
    "queued": Fate.RUNNING,
    "pending": Fate.RUNNING,
    "waiting": Fate.WAITING,
}
"""By the state of a deployment. ``inactive`` is left out: that another version took its place is told by that one."""
_CALLBACK = re.compile(r"/repos/([^/]+/[^/]+)/actions/runs/(\d{1,18})/deployment_protection_rule\Z")


def workflow_run(body: dict[str, Any], repo: str, names: Names, _delivery: Delivery) -> Heard:
    """A run of a workflow, evidence of whichever release its commit becomes."""
    run = part(body, "workflow_run", required=True)
    ident, sha = whole(run, "id", "workflow_run."), text(run, "head_sha", "workflow_run.", required=True)
    ended = text(run, "status", "workflow_run.") == "completed"
    conclusion = text(run, "conclusion", "workflow_run.")
    if ended and not conclusion:
        return Heard()
    named = text(run, "name", "workflow_run.") or text(run, "path", "workflow_run.").rpartition("/")[2]
    ran = Ran(
        workflow=named[:60],
        id=ident,
        attempt=whole(run, "run_attempt", "workflow_run."),
        state=("success" if conclusion in GOOD else "failure") if ended else "running",
        sha=sha,
        url=text(run, "html_url", "workflow_run."),
    )
    services = names.services(repo)
    finished = tuple(Finished(service, ident) for service in services) if ended else ()
    return Heard(ran=tuple((service, ran) for service in services), finished=finished)


def deployment(body: dict[str, Any], repo: str, names: Names, delivery: Delivery) -> Heard:
    """A deployment that was begun."""
    told = part(body, "deployment", required=True)
    return _seen(told, Fate.RUNNING, moment(told, "created_at", "deployment."), repo, names, delivery)


def deployment_status(body: dict[str, Any], repo: str, names: Names, delivery: Delivery) -> Heard:
    """What became of a deployment."""
    status = part(body, "deployment_status", required=True)
    fate = FATES.get(text(status, "state", "deployment_status.", required=True))
    if fate is None:
        return Heard()
    at = moment(status, "created_at", "deployment_status.")
    return _seen(part(body, "deployment", required=True), fate, at, repo, names, delivery)


def protection_rule(body: dict[str, Any], repo: str, names: Names, delivery: Delivery) -> Heard:
    """A run that waits before an environment. Of its callback the run's number is kept, never the address."""
    callback = _CALLBACK.search(text(body, "deployment_callback_url"))
    if callback is None or callback[1].lower() != repo.lower():
        return Heard()
    environment, ref = text(body, "environment", required=True), text(body, "ref").removeprefix("refs/tags/")
    versions = dict(names.versions(repo, ref)) if versioned(ref) else {}
    gates = tuple(
        Gate(
            service=stop.service.name,
            environment=stop.environment.name,
            repo=repo,
            run=int(callback[2]),
            gate=environment,
            sha=text(body, "sha") or text(part(body, "deployment"), "sha", "deployment."),
            at=delivery.received_at,
            version=versions.get(stop.service.name, ""),
        )
        for stop in names.gated(repo, environment)
    )
    return Heard(gates=gates)


def _seen(
    told: dict[str, Any], fate: Fate, at: datetime | None, repo: str, names: Names, delivery: Delivery
) -> Heard:  # fmt: skip
    ref, sha = text(told, "ref", "deployment."), text(told, "sha", "deployment.", required=True)
    if not text(told, "task", "deployment.").startswith("deploy"):
        return Heard()
    versions = dict(names.versions(repo, ref)) if versioned(ref) else {}
    sightings = tuple(
        Sighting(
            service=stop.service.name,
            environment=stop.environment.name,
            fate=fate,
            at=min(at or delivery.received_at, delivery.received_at),
            version=versions.get(stop.service.name, ""),
            commits=(sha,),
        )
        for stop in names.gated(repo, text(told, "environment", "deployment.", required=True))
    )
    return Heard(sightings=sightings)
