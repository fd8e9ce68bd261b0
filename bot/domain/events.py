"""Events: something happened outside and was accepted; its row stands before the sender hears 200."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from bot.domain.alerts import Ack, Alert, Group, Happening, Notification, Silenced
from bot.domain.codec import stored
from bot.domain.releases import Release


@dataclass(frozen=True)
class Heard:
    """What a webhook handler read out of one body: alert groups, a release, or nothing worth showing (a ping)."""

    notifications: tuple[Notification, ...] = ()
    release: Release | None = None


@dataclass(frozen=True)
class Event:
    """``id`` is ours; ``key`` is the sender's identity of this delivery (ruling 30), empty where state decides."""

    id: str
    source: str
    key: str
    received_at: datetime
    heard: Heard
    body: bytes = b""


stored(Alert, Ack, Silenced, Happening, Group)
