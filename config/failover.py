"""What a failover moves, and whose word it takes to believe that a region is lost."""

from __future__ import annotations

from datetime import timedelta
from typing import Literal, Self

from pydantic import Field, model_validator

from config.base import Address, Duration, Many, Name, Positive, Section


class DatabaseSettings(Section):
    """The replicated database."""

    provider: Literal["digitalocean"] = "digitalocean"
    """Whose managed PostgreSQL it is."""
    primary: str = Field(min_length=1)
    """Id of the database cluster in the region failed over from. No default."""
    standby: str = Field(min_length=1)
    """Id or name of its read replica in the other region. No default."""
    lag: str = "max(pg_replication_lag_seconds)"
    """PromQL for the seconds the standby is behind. No answer means unknown, which stops a failover."""


class TrafficSettings(Section):
    """The DNS record that users' requests follow."""

    provider: Literal["digitalocean"] = "digitalocean"
    """Who serves the zone."""
    domain: str = Field(min_length=1)
    """The zone: "dept.example". No default."""
    record: int = Field(gt=0)
    """Id of the record to change. No default."""
    addresses: dict[str, str] = Field(min_length=1)
    """What the record holds when traffic goes to a cluster, by the cluster's name. No default."""


class WitnessSettings(Section):
    """One independent view of the region. Missing or stale data is no vote."""

    name: Name
    """What the card calls it. No default."""
    query: str = ""
    """PromQL, asked of section [prometheus]; the region counts as lost where the answer is 0."""
    url: Address | None = None
    """Address probed from here; the region counts as lost when it gives no 2xx."""
    cluster: str = ""
    """Cluster whose API server is asked; the region counts as lost when it gives no answer."""

    @model_validator(mode="after")
    def _one_view(self) -> Self:
        if sum((bool(self.query), bool(self.url), bool(self.cluster))) != 1:
            raise ValueError("exactly one of query, url, cluster")
        return self


class FailoverSettings(Section):
    """The way from one region to the other. Leave the section out where there is one region."""

    source: str = Field(alias="from")
    """Cluster that is primary now. No default."""
    target: str = Field(alias="to")
    """Cluster that takes over. No default."""
    database: DatabaseSettings
    """The replicated database."""
    traffic: TrafficSettings
    """Where users' requests go."""
    rpo: Duration = timedelta(seconds=60)
    """Replication lag up to which a failover needs no named override."""
    witnesses: Many[WitnessSettings] = Field(min_length=3)
    """At least three; a strict majority must say that the region is lost."""
    hold: Duration = timedelta(minutes=3)
    """How long that majority must last before pult proposes a failover."""
    cooldown: Positive = timedelta(minutes=30)
    """How long after a failover none is proposed."""
