"""Kubernetes objects, as plain JSON, into what is kept of them while they are watched. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime
from sys import intern

from bot.adapters.kubernetes import argorollouts, judge, judge_images
from bot.adapters.kubernetes.judge import Object
from bot.adapters.kubernetes.notes import controller
from bot.domain.loglines import brief
from bot.domain.sights import (
    WELL,
    Ailment,
    CertificateSight,
    JobSight,
    Kind,
    Owner,
    PodSight,
    RolloutSight,
    Sight,
)

SAID = 240
"""Characters of a controller's words that are kept: they become a label of an alert."""
PULLING = judge_images.FAILING
TRIED = PULLING - {"ErrImagePull", "RegistryUnavailable"}
"""Those that the kubelet says after it has tried, or that no further try can mend."""
OF_CRONJOB = re.compile(r"(.+?)-\d{8,}")
"""A CronJob names its Jobs by the minute: kubernetes/kubernetes pkg/controller/cronjob/utils.go."""


def sight(kind: Kind, obj: Object) -> Sight:
    """What is kept of *obj*. KeyError, TypeError, ValueError: it is no such object."""
    match kind:
        case Kind.POD:
            return pod(obj)
        case Kind.JOB:
            return job(obj)
        case Kind.CERTIFICATE:
            return certificate(obj)
        case Kind.DEPLOYMENT | Kind.STATEFULSET | Kind.DAEMONSET | Kind.ROLLOUT:
            return rollout(kind, obj)


def pod(obj: Object) -> PodSight:
    """One pod, with its ailment."""
    meta, status = obj["metadata"], obj.get("status") or {}
    inits = status.get("initContainerStatuses") or []
    containers = [*inits, *(status.get("containerStatuses") or [])]
    restarts = sum(each.get("restartCount", 0) for each in containers)
    return PodSight(meta.get("uid", ""), _owner(meta), restarts, _ailment(meta, status, inits, containers))


def _ailment(meta: Object, status: Object, inits: list[Object], containers: list[Object]) -> Ailment:
    """Of one that is on its way out only its deaths count: it waits for nothing any more."""
    leaving = bool(meta.get("deletionTimestamp"))
    waiting = [(each, (each.get("state") or {}).get("waiting") or {}) for each in ([] if leaving else containers)]
    failed = [(each.get("image", ""), said["reason"]) for each, said in waiting if said.get("reason") in PULLING]
    ended = _latest(containers)
    killed = _latest(containers, "OOMKilled")
    pending = not leaving and status.get("phase") == "Pending" and not any(map(_runs, inits))
    if not (pending or failed or ended):
        return WELL
    return Ailment(
        pending=_time(meta["creationTimestamp"]) if pending else None,
        why=_unscheduled(status) if pending else "",
        image=intern(failed[0][0]) if failed else "",
        firm=any(reason in TRIED for _, reason in failed),
        looping=any(said.get("reason") == "CrashLoopBackOff" for _, said in waiting),
        ended=ended[0] if ended else None,
        how=ended[1] if ended else "",
        killed=killed[0] if killed else None,
        hog=killed[2] if killed else "",
    )


def _runs(container: Object) -> bool:
    return "running" in (container.get("state") or {})


def _latest(containers: Iterable[Object], reason: str = "") -> tuple[datetime, str, str] | None:
    """When which container died last, and how; ``reason``: only of this."""
    found = []
    for each in containers:
        for state in (each.get("state"), each.get("lastState")):
            told = (state or {}).get("terminated") or {}
            good = reason in {"", told.get("reason")} and (each.get("restartCount") or told.get("exitCode"))
            if told.get("finishedAt") and good:
                how = intern(f"{told.get('reason') or 'Error'} ({told.get('exitCode', '?')})")
                found.append((_time(told["finishedAt"]), how, intern(str(each.get("name", "")))))
    return max(found, default=None)


def _unscheduled(status: Object) -> str:
    conditions = status.get("conditions") or ()
    return next((_said(c) for c in conditions if c.get("type") == "PodScheduled" and c.get("status") == "False"), "")


def _owner(meta: Object) -> Owner:
    """The workload a pod belongs to: the Deployment or Rollout above its ReplicaSet is told by the hash it adds."""
    above = controller(meta)
    if not above:
        return Owner("pod", intern(meta["name"]))
    kind, name = str(above["kind"]), str(above["name"])
    if kind == "ReplicaSet":
        labels = meta.get("labels") or {}
        argo = labels.get("rollouts-pod-template-hash")
        plain = name.removesuffix(f"-{argo or labels.get('pod-template-hash') or ''}")
        return Owner("rollout" if argo else "deployment", intern(plain))
    if kind == "Job" and (made := OF_CRONJOB.fullmatch(name)):
        return Owner("cronjob", intern(made[1]))
    return Owner(intern(kind.lower()), intern(name))


def rollout(kind: Kind, obj: Object) -> RolloutSight:
    """A workload. Only Deployments and Rollouts say themselves that they stand; of others it is seen by counts."""
    owner, status = Owner(kind, intern(obj["metadata"]["name"])), obj.get("status") or {}
    if kind is Kind.ROLLOUT:  # its template may stand elsewhere
        why = argorollouts.stuck(obj) if argorollouts.observed(obj) else None
        return RolloutSight(owner, _short(why.plain()) if why else "")
    state = judge.rollout(kind, obj)
    if kind is Kind.DEPLOYMENT:
        return RolloutSight(owner, _short(state.stuck.plain()) if state.stuck else "")
    rolling = state.updated < state.desired or status.get("updateRevision") != status.get("currentRevision")
    if state.done or state.stuck or not rolling:  # one that waits for somebody's hand is not in trouble
        return RolloutSight(owner)
    return RolloutSight(owner, under_way=(state.desired, state.updated, state.ready, state.available))


def job(obj: Object) -> JobSight:
    """A Job by its conditions: batch/v1 types.go."""
    meta, status = obj["metadata"], obj.get("status") or {}
    above = controller(meta)
    owner = Owner("cronjob" if above else "job", intern(str((above or meta)["name"])))
    for condition in status.get("conditions") or ():
        if condition.get("status") == "True" and condition.get("type") in {"Failed", "Complete"}:
            ended = _time(condition.get("lastTransitionTime") or meta["creationTimestamp"])
            failed = condition["type"] == "Failed"
            return JobSight(owner, ended, failed, _said(condition) if failed else "")
    return JobSight(owner)


def certificate(obj: Object) -> CertificateSight:
    """A Certificate: cert-manager pkg/apis/certmanager/v1/types_certificate.go."""
    meta, status = obj["metadata"], obj.get("status") or {}
    ready = next((c for c in status.get("conditions") or () if c.get("type") == "Ready"), None)
    good = ready is not None and ready.get("status") == "True"
    since = (ready or {}).get("lastTransitionTime") or meta["creationTimestamp"]
    begins, ends = status.get("notBefore"), status.get("notAfter")
    return CertificateSight(
        Owner("certificate", intern(meta["name"])),
        unready=None if good else _time(since),
        why="" if good or ready is None else _said(ready),
        expires=_time(ends) if ends else None,
        lifetime=_time(ends) - _time(begins) if begins and ends else None,
    )


def _said(condition: Object) -> str:
    return _short(str(condition.get("message") or condition.get("reason") or ""))


def _short(text: str) -> str:
    return intern(brief(text, SAID))


def _time(written: str) -> datetime:
    return datetime.fromisoformat(written)
