"""The department's services, and what was promised for them."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal, Self, TypeAlias

from pydantic import Field, model_validator

from config.base import Address, Batch, Duration, Label, Many, Name, OnDisk, Positive, Repo, Section, Workload, matching

_BUCKET = r"([A-Za-z_:][\w:]*_bucket(\{.*\})?)?"
_RECORDING = r"([A-Za-z_:][\w:]*\$window[\w:]*(\{[^{}]*\})?)?"


OpenSloFile: TypeAlias = Annotated[str, OnDisk]
"""Relative to the configuration's folder."""


class GitopsSettings(Section):
    """Whose hand changes production."""

    tool: Literal["argocd", "flux", "none"] = "none"
    """"argocd" or "flux" when that tool owns the workload; "none" lets promote patch the workload itself."""
    application: str = ""
    """Argo CD Application, Flux Kustomization or HelmRelease; "NAMESPACE/NAME" where that is not in argocd or
    flux-system. Default: the service's name."""
    repo: Repo | None = None
    """Repository of the deployment files, "org/name". Default: the service's repo."""
    path: str = ""
    """File that names the image, e.g. "deploy/production/kustomization.yaml"."""
    branch: str = Field(default="main", min_length=1)
    """Branch the tool follows."""
    by: Literal["commit", "pull"] = "commit"
    """"commit" to the branch, or "pull": a pull request that pult merges once the plan is approved."""
    key: str = ""
    """Where the digest stands in Helm values, e.g. "image.digest". Default: found by the image's name."""

    @model_validator(mode="after")
    def _file(self) -> Self:
        if self.tool != "none" and not self.path:
            raise ValueError(f'path, the file that names the image, when tool is "{self.tool}"')
        return self


class ProbeSettings(Section):
    """An address that is asked while a new version is verified."""

    url: Address
    """Must answer 2xx. No default."""
    contains: str = ""
    """Text that the answer must hold. Default: none."""


class VerificationSettings(Section):
    """How a new version is judged where it runs."""

    bake: Duration = timedelta(0)
    """How long it is watched before it counts as good."""
    probes: Many[ProbeSettings] = ()
    """Health checks and synthetic requests."""
    burn: float = Field(default=6.0, gt=0)
    """Bad when an SLO of the service burns its budget so many times as fast as it may, and faster than before."""
    errors: float = Field(default=3.0, gt=1)
    """Bad when there are so many times as many error lines as before, where pult reads logs."""
    on_bad: Literal["propose", "rollback"] = "propose"
    """"propose" a rollback that a person presses, or "rollback" at once."""


class EnvironmentSettings(Section):
    """One stop of a release on its way to production, in order of promotion."""

    name: Name
    """What people call it: staging, production. No default."""
    cluster: str
    """Name of its cluster. No default."""
    namespace: Label
    """Its Kubernetes namespace. No default."""
    workload: Workload | None = None
    """Default: the service's workload."""
    gitops: GitopsSettings | None = None
    """Default: the service's gitops. Two namespaces may not share one file."""
    after: str = ""
    """Environment that a promotion to this one goes through first, verified there: the other region, say."""
    gate: str = ""
    """GitHub environment whose protection rule pult answers, where the pipeline is what deploys."""
    workflow: str = ""
    """File of the workflow that deploys to it, started where none waits at the gate, e.g. "deploy.yml"."""
    verification: VerificationSettings | None = None
    """Default: the service's verification."""
    on_ready: Literal["tell", "propose"] = "tell"
    """When a pipeline says that a version is ready: "tell" people, or "propose" its promotion here as well. Pult is
    nobody, so that takes as many people as if one of them had proposed it."""


class ServiceSettings(Section):
    """One service, as commands name it."""

    name: Label
    """The name people type, and the label "service" of its alerts. No default."""
    namespace: Label
    """Its Kubernetes namespace in production. No default."""
    workload: Workload | None = None
    """Kind and name: "deployment/api", "statefulset/…", "daemonset/…" or, of Argo Rollouts, "rollout/…". Default:
    deployment of the service's name."""
    jobs: Many[Batch] = ()
    """Its Jobs and CronJobs in production: "cronjob/report", "job/migrate". pods and status tell of them, and an alert
    of one of them names the service. Default: none."""
    clusters: Many[str] = Field(min_length=1)
    """Names of the clusters it runs in, the primary one first. No default."""
    repo: Repo | None = None
    """Its GitHub repository, "org/name". Unset: no changelog."""
    gitops: GitopsSettings | None = None
    """How it is deployed. Unset: promote patches the workload."""
    verification: VerificationSettings | None = None
    """How new versions are judged. Unset: by their rollout, their digest and their SLOs, once."""
    environments: Many[EnvironmentSettings] = ()
    """In order of promotion. Default: "production"; several clusters without gitops: "production-CLUSTER" each."""


class SloSettings(Section):
    """One objective. PromQL is written with $window where its time range stands."""

    service: str
    """Name of the service it is about. No default."""
    name: Name
    """What people call it: availability, latency. No default."""
    kind: Literal["availability", "latency", "freshness"]
    """availability (or an error rate): total and bad. latency: those, or bucket and threshold. Both: or recording.
    freshness: bad and threshold, and no budget: nothing may ever wait longer."""
    objective: float = Field(gt=0, le=100)
    """Percentage of good events. 100 leaves no budget: any bad one breaks it. No default."""
    window: Positive = timedelta(days=30)
    """Over which time the objective is to hold."""
    total: str = ""
    """PromQL that counts all events over $window. Missing or zero: unknown, never healthy."""
    bad: str = ""
    """PromQL that counts bad events over $window; for freshness the age in seconds of the oldest waiting item."""
    bucket: Annotated[str, matching(_BUCKET, "METRIC_bucket{labels}, the selector of a histogram's buckets")] = ""
    """For latency: selector of the histogram's buckets, e.g. http_request_duration_seconds_bucket{job='api'}."""
    threshold: float | None = Field(default=None, gt=0)
    """Seconds an event may take (latency; must be one of the histogram's bounds) or wait (freshness)."""
    min_requests: int = Field(default=0, ge=0)
    """Below so many events in a window its burn rate alerts nobody. Raise it for services that sleep at night."""
    recording: Annotated[str, matching(_RECORDING, "the name of recording rules with $window in it, {labels}")] = ""
    """Existing rules that record the share of bad events for each window, in place of total and bad: Sloth's
    slo:sli_error:ratio_rate$window{sloth_id='…'}, Pyrra's METRIC:burnrate$window{slo='…'}. Must select one series."""
    regions: Annotated[str, matching(r"([A-Za-z_]\w*)?", "the name of a label")] = ""
    """Label that tells regions apart. With it a region that falls silent makes the whole unknown, not better."""
    missed: str = ""
    """For freshness: PromQL that counts the deadlines missed over $window. Unset: only ages are looked at."""
    openslo: OpenSloFile | None = None
    """An OpenSLO file (v1 or v1alpha) that gives all other keys, once for each objective in it. Keys written beside
    it stand above the file's: service, for one, where it has another name there."""

    @model_validator(mode="after")
    def _queries(self) -> Self:
        counts = bool(self.total and self.bad) or bool(self.recording and not (self.total or self.bad))
        complete, wanted = {
            "availability": (counts, "total and bad, or recording"),
            "latency": (
                counts or bool(self.bucket and self.threshold), "total and bad, or bucket and threshold, or recording"
            ),
            "freshness": (bool(self.bad and self.threshold and not self.recording), "bad and threshold"),
        }[self.kind]  # fmt: skip
        if not complete:
            raise ValueError(f"{wanted} for kind {self.kind}")
        ranged = (self.missed,) if self.kind == "freshness" else (self.total, self.bad)
        if any(query and "$window" not in query for query in ranged):
            raise ValueError("total, bad and missed that count over [$window]")
        if self.regions and "vector(" in self.total + self.bad:  # it has no region, so one without data would vanish
            raise ValueError("total and bad without vector() beside regions; 0 * TOTAL in its place")
        return self
