"""Events: something happened outside and was accepted; its row stands before the sender hears 200."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from bot.domain.alerts import Ack, Alert, Group, Happening, Notification, Silenced
from bot.domain.codec import stored
from bot.domain.releases import Ran, Release
from bot.domain.sightings import Finished, Gate, Sighting, Trouble


@dataclass(frozen=True)
class Heard:
    """What a webhook handler read out of one body: alert groups, releases, what was seen of them where they went,
    workflow runs and the gates they wait at, how GitOps tools fare; or nothing worth showing (a ping).

    ``ran``: by the services of its repository, one of whose releases it may be of.
    """

    notifications: tuple[Notification, ...] = ()
    releases: tuple[Release, ...] = ()
    ran: tuple[tuple[str, Ran], ...] = ()
    sightings: tuple[Sighting, ...] = ()
    gates: tuple[Gate, ...] = ()
    finished: tuple[Finished, ...] = ()
    troubles: tuple[Trouble, ...] = ()


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
