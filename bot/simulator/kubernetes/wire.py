"""The shapes that every Kubernetes object shares: JSON, timestamps, metadata."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

Json = dict[str, Any]
"""One decoded API object. Objects in a store are never changed in place: copy, change, put."""


def stamp(moment: datetime) -> str:
    """RFC 3339 with whole seconds and Z, as metav1.Time is written."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def micro(moment: datetime) -> str:
    """RFC 3339 with six digits, as metav1.MicroTime (leases, eventTime) is written."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def meta(obj: Mapping[str, Any]) -> Json:
    """The object's metadata, empty when absent."""
    found: Json = obj.get("metadata") or {}
    return found


def name_of(obj: Mapping[str, Any]) -> str:
    return str(meta(obj).get("name", ""))


def namespace_of(obj: Mapping[str, Any]) -> str:
    """Empty for cluster-scoped objects."""
    return str(meta(obj).get("namespace", ""))


def labels_of(obj: Mapping[str, Any]) -> dict[str, str]:
    return dict(meta(obj).get("labels") or {})


def annotations_of(obj: Mapping[str, Any]) -> dict[str, str]:
    return dict(meta(obj).get("annotations") or {})


def spec_of(obj: Mapping[str, Any]) -> Json:
    found: Json = obj.get("spec") or {}
    return found


def status_of(obj: Mapping[str, Any]) -> Json:
    found: Json = obj.get("status") or {}
    return found
