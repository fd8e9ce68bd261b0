"""What the objects of Flux say of themselves: what they brought and when, and how far a request is. Pure.

Facts: fluxcd/pkg apis/meta, kustomize-controller api/v1, helm-controller api/v2, source-controller api/v1.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, TypeAlias

from bot.adapters.kubernetes.notes import BEFORE, OPERATION, annotation, time
from bot.domain.changes import Synced, SyncState
from bot.domain.phrases import Code, Phrase, phrase
from bot.domain.revisions import commit, short
from bot.ports.gitops import Applied

Object: TypeAlias = dict[str, Any]
REQUESTED = "reconcile.fluxcd.io/requestedAt"
RESET = "reconcile.fluxcd.io/resetAt"
"""Forgets a HelmRelease's failures; counts only with the same value as REQUESTED (helm-controller api/v2)."""
PARENT = "kustomize.toolkit.fluxcd.io"
"""Prefix of the labels by which a Kustomization marks what it applied."""
ORIGIN = "org.opencontainers.image.revision"
"""In an artifact's metadata: the commit that an OCI artifact was built from."""
PASSING = frozenset({"DependencyNotReady", "ArtifactFailed", "SourceNotReady", "Progressing", "ProgressingWithRetry"})
"""Reasons of ``Ready: False`` that go away by themselves: something else is not there yet."""


@dataclass(frozen=True)
class Chain:
    """Each waits for the one before. ``source`` fetches; ``parent`` is the Kustomization that applies a HelmRelease."""

    own: Object
    source: Object | None
    parent: Object | None = None

    @property
    def links(self) -> tuple[Object, ...]:
        """In the order in which news pass."""
        return tuple(each for each in (self.source, self.parent, self.own) if each is not None)


def kustomization_changes(obj: Object, since: datetime) -> Iterator[Synced]:
    """Revisions that a Kustomization applied; ``Ready`` counts only for the generation it observed."""
    status, ready = obj.get("status") or {}, _ready(obj)
    tried, brought = status.get("lastAttemptedRevision") or "", status.get("lastAppliedRevision") or ""
    at = time(ready.get("lastTransitionTime"))
    if not at or at < since:
        return
    match ready.get("status"):
        case "True" if (first := _first(status, brought) or at) >= since:
            yield Synced(first, "flux", short(brought))
        case "False" if tried != brought:
            yield Synced(at, "flux", short(tried), SyncState.FAILED)
        case "Unknown" if tried != brought:
            yield Synced(at, "flux", short(tried), SyncState.RUNNING)


def helmrelease_changes(obj: Object, since: datetime) -> Iterator[Synced]:
    """Releases of a chart; the history has the newest first."""
    for entry in (obj.get("status") or {}).get("history") or ():
        at = time(entry.get("lastDeployed"))
        if at and at >= since:
            chart = f"{entry.get('chartName', '')} {entry.get('chartVersion', '')}".strip()
            turn = SyncState.FAILED if entry.get("status") == "failed" else SyncState.DONE
            yield Synced(at, "flux", chart, turn, back=entry.get("action") == "rollback")


def applied(chain: Chain) -> Applied:
    """Where it stands, whoever asked. A HelmRelease is as far as the Kustomization that brings it, by its commit."""
    own = _release(chain.own) if chain.own.get("kind") == "HelmRelease" else _applied(chain.own, chain.source)
    suspended = any((link.get("spec") or {}).get("suspend") is True for link in chain.links)
    stuck = next(filter(None, (_stuck(link) for link in chain.links)), None)
    if chain.parent is None:
        return replace(own, suspended=suspended, stuck=stuck)
    parent = _applied(chain.parent, chain.source)
    return replace(
        parent, done=parent.done and own.done, synced=parent.synced and own.synced, suspended=suspended,
        doing=parent.doing or own.doing, stuck=stuck,
    )  # fmt: skip


def progress(chain: Chain, revision: str, operation: str) -> Applied:
    """How far *operation*'s request is: what it was passed on to last has to have handled it, and be the last link."""
    base, at = applied(chain), reached(chain)
    if not of(annotation(chain.own, OPERATION), operation):
        return _on_the_way(base, phrase("Flux was not asked yet"))
    if at < 0 or not _handled(chain.links[at]):
        link = chain.links[max(at, 0)]
        named = Code(f"{link.get('kind')} {link['metadata']['name']}")
        return _on_the_way(base, phrase("Flux is to look at {name}", name=named))
    if at + 1 < len(chain.links):  # what the next one says is of before
        return _on_the_way(base, phrase("Flux passes the news on"), _stuck(chain.links[at]))
    if _unseen(chain, base, revision):
        return _on_the_way(base, phrase("Flux does not see {revision} yet", revision=Code(short(revision))))
    return base


def reached(chain: Chain) -> int:
    """The last link that the present request was passed on to; -1 for none.

    Those before it have handled theirs, whatever another operation asked of them since: sources are shared.
    """
    asked = annotation(chain.own, OPERATION)
    found = (n for n, link in enumerate(chain.links) if asked and annotation(link, REQUESTED) == asked)
    return max(found, default=-1)


def following(chain: Chain) -> Object | None:
    """The link that the request is to be passed on to now; None while one works, after a failure, and at the end."""
    at = reached(chain)
    if at >= 0 and (not _handled(chain.links[at]) or _stuck(chain.links[at])):
        return None
    return chain.links[at + 1] if at + 1 < len(chain.links) else None


def request(chain: Chain, operation: str) -> str | None:
    """What is to be asked with; None where *operation* has asked, and that has not failed."""
    asked, at = annotation(chain.own, OPERATION), reached(chain)
    if not of(asked, operation):
        return operation
    if at < 0 or not _handled(chain.links[at]) or not _stuck(chain.links[at]):
        return None
    return f"{operation}#{int(asked.partition('#')[2] or '1') + 1}"


def of(asked: str, operation: str) -> bool:
    """Whether the token is one of *operation*'s."""
    return first(asked) == operation


def first(asked: str) -> str:
    """The token of the first try: each further one has a number behind it."""
    return asked.partition("#")[0]


def known(chain: Chain) -> str:
    """The revision that the source fetched last."""
    return _fetched(chain.source) if chain.source else applied(chain).wanted


def parent_of(obj: Object) -> tuple[str, str] | None:
    """Namespace and name of the Kustomization that applied *obj*."""
    labels = obj["metadata"].get("labels") or {}
    name = labels.get(f"{PARENT}/name")
    return (labels.get(f"{PARENT}/namespace") or obj["metadata"]["namespace"], name) if name else None


def source_of(obj: Object) -> Object | None:
    """What *obj* names as its source: kind, name, namespace, apiVersion. None where nothing is there to be fetched."""
    spec = obj.get("spec") or {}
    chart = (spec.get("chart") or {}).get("spec") or {}
    found = spec.get("sourceRef") or spec.get("chartRef") or chart.get("sourceRef")
    return {"namespace": obj["metadata"]["namespace"], **found} if found else None


def static(source: Object) -> bool:
    """A Helm repository in a registry is an address only: no controller looks at it."""
    return source.get("kind") == "HelmRepository" and (source.get("spec") or {}).get("type") == "oci"


def _unseen(chain: Chain, base: Applied, revision: str) -> bool:
    """Whether *revision* is still to come: what is fetched is what was there before, or an artifact not built of it.

    Any other commit that git gave after the request holds ours: branches only grow.
    """
    if not revision or base.wanted == revision or not chain.source:
        return False
    return chain.source.get("kind") == "OCIRepository" or base.wanted == annotation(chain.own, BEFORE)


def _applied(obj: Object, source: Object | None) -> Applied:
    """A Kustomization's."""
    status, ready = obj.get("status") or {}, _ready(obj)
    brought = commit(str(status.get("lastAppliedOriginRevision") or status.get("lastAppliedRevision") or ""))
    wanted = _fetched(source) if source else commit(str(status.get("lastAttemptedRevision") or ""))
    done = ready.get("status") == "True" and not _condition(obj, "Reconciling") and brought == wanted != ""
    doing = None if done else _at(obj, ready, wanted)
    return Applied(brought, wanted, done, automated=True, synced=done, doing=doing)


def _release(obj: Object) -> Applied:
    """A HelmRelease's. An automatic rollback leaves it not ready, and that is right: the new version is not in."""
    status, ready = obj.get("status") or {}, _ready(obj)
    history = status.get("history") or ()
    brought = next((str(each.get("chartVersion")) for each in history if each.get("status") == "deployed"), "")
    tried = status.get("lastAttemptedGeneration", obj["metadata"].get("generation")) == obj["metadata"].get(
        "generation"
    )
    done = ready.get("status") == "True" and not _condition(obj, "Reconciling") and tried
    wanted = str(status.get("lastAttemptedRevision") or "")
    return Applied(
        brought, wanted, done, automated=True, synced=done, doing=None if done else _at(obj, ready, wanted)
    )  # fmt: skip


def _at(obj: Object, ready: Object, wanted: str) -> Phrase:
    said = str(ready.get("message") or "")
    if ready.get("status") == "True" or not said:
        return phrase("Flux is to apply {revision}", revision=Code(short(wanted) or str(obj["metadata"]["name"])))
    return phrase("Flux: {what}", what=said)


def _stuck(obj: Object) -> Phrase | None:
    """Stalled, or failed at what it was to do: Flux tries again, the same thing, to the same end."""
    named = Code(f"{obj.get('kind')} {obj['metadata']['name']}")
    stalled, ready = _condition(obj, "Stalled"), _ready(obj)
    failed = ready if ready.get("status") == "False" and ready.get("reason") not in PASSING else {}
    found = stalled or failed
    return phrase("{name}: {why}", name=named, why=str(found.get("message") or found.get("reason"))) if found else None


def _handled(link: Object) -> bool:
    return annotation(link, REQUESTED) == (link.get("status") or {}).get("lastHandledReconcileAt")


def _on_the_way(base: Applied, doing: Phrase, stuck: Phrase | None = None) -> Applied:
    return replace(base, done=False, synced=False, doing=doing, stuck=stuck)


def _fetched(source: Object) -> str:
    artifact = (source.get("status") or {}).get("artifact") or {}
    return commit(str((artifact.get("metadata") or {}).get(ORIGIN) or artifact.get("revision") or ""))


def _ready(obj: Object) -> Object:
    status = obj.get("status") or {}
    return _condition(obj, "Ready") if status.get("observedGeneration") == obj["metadata"].get("generation") else {}


def _condition(obj: Object, kind: str) -> Object:
    """Empty where it is not there; ``Reconciling`` and ``Stalled`` are there only while they are True."""
    found = (each for each in (obj.get("status") or {}).get("conditions") or () if each.get("type") == kind)
    condition: Object = next(found, {})
    return {} if kind != "Ready" and condition.get("status") != "True" else condition


def _first(status: Object, revision: str) -> datetime | None:
    """When *revision* was first brought, where the status keeps a history: ``Ready`` may have turned since."""
    times = [
        time(entry.get("firstReconciled"))
        for entry in status.get("history") or ()
        if (entry.get("metadata") or {}).get("revision") == revision
    ]
    return min((each for each in times if each), default=None)
