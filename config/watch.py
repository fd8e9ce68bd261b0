"""What is trouble in a cluster, and how loudly it is told."""

from __future__ import annotations

from datetime import timedelta
from typing import Literal, TypeAlias

from pydantic import Field

from config.base import Positive, Section

Severity: TypeAlias = Literal["critical", "warning", "info"]


class SeveritySettings(Section):
    """How loudly each trouble is told. "critical" counts in production only; elsewhere it is a warning."""

    restarts: Severity = "warning"
    """RestartStorm: containers of a workload die again and again."""
    memory: Severity = "warning"
    """OutOfMemory: a container was killed for using more memory than its limit."""
    pending: Severity = "warning"
    """PodsPending: pods find no place to run."""
    images: Severity = "warning"
    """ImagePullFailing: an image can't be pulled."""
    rollouts: Severity = "warning"
    """RolloutStuck: a new version does not get through."""
    jobs: Severity = "warning"
    """JobFailed: the last run of a Job or CronJob failed."""
    certificates: Severity = "warning"
    """CertificateTrouble: a certificate of cert-manager is not ready, or ends soon."""


class WatchSettings(Section):
    """Alerts of pult's own from what it sees in the clusters, in the namespaces of [[services]]."""

    enabled: bool = True
    """Whether clusters are watched; ten thousand pods take 6 MB of memory. false leaves these alerts to Prometheus."""
    restarts: int = Field(default=5, ge=2, le=1000)
    """So many restarts of one workload's containers are a storm when they happen inside the time below."""
    within: Positive = timedelta(minutes=10)
    """That time; also how long after the last restart, or kill for memory, it is over."""
    pending: Positive = timedelta(minutes=5)
    """How long a pod may wait to run, and a certificate to be ready."""
    still: Positive = timedelta(minutes=10)
    """How long the rollout of a StatefulSet or DaemonSet may stand still; Deployments know a deadline of their own."""
    expiring: Positive = timedelta(days=14)
    """A certificate that ends so soon should have been renewed; of short ones a quarter of their life counts."""
    severities: SeveritySettings = Field(default_factory=SeveritySettings)
    """How loudly each trouble is told."""
