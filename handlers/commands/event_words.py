"""Kubernetes's reasons for events, in words. Source: kubernetes/kubernetes pkg/kubelet/events/event.go, and the
scheduler's and controllers' own calls of the recorder."""

from __future__ import annotations

from collections.abc import Mapping

from bot.domain.phrases import Phrase, phrase, verbatim

REASONS: Mapping[str, Phrase] = {
    "Scheduled": phrase("was given a node"),
    "FailedScheduling": phrase("no node has room for it, or may take it"),
    "NotTriggerScaleUp": phrase("no new node would help it"),
    "TriggeredScaleUp": phrase("a new node was ordered for it"),
    "Preempted": phrase("made room for something more important"),
    "Pulling": phrase("its image is being pulled"),
    "Pulled": phrase("its image is there"),
    "ErrImageNeverPull": phrase("its image is not there and may not be pulled"),
    "InspectFailed": phrase("its image's name is wrong"),
    "Created": phrase("its container was made"),
    "Started": phrase("its container was started"),
    "Killing": phrase("its container is being stopped"),
    "BackOff": phrase("failed, and waits before the next try"),
    "Failed": phrase("failed"),
    "Unhealthy": phrase("failed its health check"),
    "ProbeError": phrase("its health check could not be done"),
    "FailedPostStartHook": phrase("its start hook failed"),
    "FailedPreStopHook": phrase("its stop hook failed"),
    "FailedMount": phrase("a volume could not be mounted"),
    "FailedAttachVolume": phrase("a volume could not be attached"),
    "SuccessfulAttachVolume": phrase("a volume was attached"),
    "FailedCreatePodSandBox": phrase("could not be set up on its node"),
    "Evicted": phrase("was evicted from its node"),
    "TaintManagerEviction": phrase("has to leave its node"),
    "NodeNotReady": phrase("its node stopped answering"),
    "OOMKilling": phrase("was killed for the memory it used"),
    "SystemOOM": phrase("was killed for the memory it used"),
    "ScalingReplicaSet": phrase("changes its number of pods"),
    "SuccessfulCreate": phrase("made a pod"),
    "SuccessfulDelete": phrase("removed a pod"),
    "FailedCreate": phrase("could not make a pod"),
    "SuccessfulRescale": phrase("the autoscaler changed its number of pods"),
    "FailedGetResourceMetric": phrase("the autoscaler gets no metrics"),
    "FailedComputeMetricsReplicas": phrase("the autoscaler can't tell how many pods are needed"),
    "NoPods": phrase("the disruption budget finds no pods"),
    "CalculateExpectedPodCountFailed": phrase("the disruption budget can't be kept"),
}


def words(reason: str) -> Phrase:
    """What *reason* means; Kubernetes's own word where there is no other."""
    return REASONS.get(reason) or verbatim(reason)
