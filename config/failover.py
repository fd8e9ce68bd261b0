"""What a failover moves, and whose word it takes to believe that a region is lost."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal, Self

from pydantic import Field, SecretStr, model_validator

from config.base import WEEKLY, Address, Duration, Many, Name, Positive, Section, matching

RUNS = r"(statefulset|deployment)/[a-z0-9][a-z0-9-]{0,62}/[a-z0-9][a-z0-9.-]{0,62}"
MONTHLY = rf"(first|last) {WEEKLY}"


class ServerSettings(Section):
    """One of the two servers of a self-run PostgreSQL."""

    region: Name
    """Cluster it stands beside. No default."""
    dsn: SecretStr
    """Where pult itself reaches it: this one server, and a database of pult's own, which a fence leaves open:
    "postgresql://pult:…@pg-nyc2:5432/pult". docs/postgres.md has the rights it needs. No default."""
    address: str = ""
    """host:port under which services reach it; default: that of dsn."""
    workload: Annotated[str, matching(RUNS, "as statefulset/namespace/name")] = ""
    """What runs it in that cluster, as kind/namespace/name: scaled to none for a fence, started again to rejoin."""
    droplet: int | None = Field(default=None, gt=0)
    """Id of the machine that runs it: switched off for a fence where the server itself does not answer."""
    command: Many[str] = ()
    """Program that is given fence, confirm or rejoin as its last word, where neither of the two above fits."""


class DatabaseSettings(Section):
    """The replicated database."""

    provider: Literal["digitalocean", "postgres"] = "digitalocean"
    """Whose PostgreSQL it is: DigitalOcean's managed one, or self-run servers."""
    primary: str = ""
    """Id of the managed database in the region failed over from. Needed with digitalocean."""
    standby: str = ""
    """Id or name of its read replica in the other region. Needed with digitalocean."""
    lag: str = "max(pg_replication_lag_seconds)"
    """PromQL for the seconds the managed standby is behind. No answer means unknown, which holds a failover."""
    servers: Many[ServerSettings] = ()
    """The two servers. Needed with postgres."""

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.provider == "digitalocean" and not (self.primary and self.standby):
            raise ValueError("primary and standby with provider digitalocean")
        if self.provider == "postgres" and len(self.servers) != 2:
            raise ValueError("two servers with provider postgres")
        return self


class TrafficSettings(Section):
    """What users' requests follow: a DNS record, or a global load balancer."""

    provider: Literal["digitalocean"] = "digitalocean"
    """Who serves it."""
    domain: str = ""
    """The zone: "dept.example". Needed for a record."""
    record: int | None = Field(default=None, gt=0)
    """Id of the record to change. Either this or balancer."""
    balancer: str = ""
    """Id of the global load balancer whose region priorities are changed."""
    addresses: dict[str, str] = Field(min_length=1)
    """By the cluster's name: what the record holds, or the id of the regional load balancer. No default."""

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if bool(self.balancer) == bool(self.record and self.domain):
            raise ValueError("either domain and record, or balancer")
        return self


class ConnectionSettings(Section):
    """Where the services of one region read the database's address."""

    region: Name
    """Cluster they run in. No default."""
    namespace: str = ""
    """Of the Secret."""
    secret: str = ""
    """Name of the Secret; either this or file."""
    key: str = Field(min_length=1)
    """The Secret's key (an address, or a whole connection string), or the dotted path in the file. No default."""
    repo: str = ""
    """owner/name on GitHub, for a file."""
    file: str = ""
    """YAML file in repo that GitOps brings to the cluster."""
    branch: str = "main"
    """Branch it is committed to."""

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if bool(self.secret and self.namespace) == bool(self.file and self.repo):
            raise ValueError("either namespace and secret, or repo and file")
        return self


class RoomSettings(Section):
    """What the standby region must have before it takes over."""

    service: str = Field(min_length=1)
    """One of [[services]]. No default."""
    replicas: int = Field(default=0, ge=0)
    """Pods at least; 0: as many as run in the other region."""
    pool: str = ""
    """Node pool of the standby's cluster that they run on."""
    nodes: int = Field(default=0, ge=0)
    """Machines of pool at least; 0: as it is."""


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
    uptime: str = ""
    """Id of a DigitalOcean uptime check; the region counts as lost when most places see it down."""
    database: bool = False
    """The database's own heartbeat; the region counts as lost when its server does not take one."""

    @model_validator(mode="after")
    def _one_view(self) -> Self:
        if sum((bool(self.query), bool(self.url), bool(self.cluster), bool(self.uptime), self.database)) != 1:
            raise ValueError("exactly one of query, url, cluster, uptime, database")
        return self


class MoveSettings(Section):
    """What is moved, and between which regions."""

    source: str = Field(alias="from")
    """Cluster that is primary now. No default."""
    target: str = Field(alias="to")
    """Cluster that takes over. No default."""
    database: DatabaseSettings
    """The replicated database."""
    traffic: TrafficSettings
    """Where users' requests go."""
    environment: str = ""
    """Environments that move, as their names begin: "production". Default: those of the two clusters that are not
    called staging."""
    connections: Many[ConnectionSettings] = ()
    """Where services read the database's address, in the order in which they are restarted. Default: nothing to switch,
    since the address follows the primary by itself."""
    capacity: Many[RoomSettings] = ()
    """Room in the standby. Default: each service of both regions gets as many pods as it has in the other one."""
    probes: Many[Address] = ()
    """Addresses that must answer 2xx from outside once traffic has moved."""


class DrillSettings(Section):
    """The rehearsal."""

    schedule: Annotated[str, matching(MONTHLY, 'as "first Mon 10:00" or "last Fri 15:30"')] | None = None
    """When it is proposed by itself each month, in the chat's zone: "first Mon 10:00". Default: never."""
    answer: Positive | None = None
    """How long everybody who would be called has to press a button in a drill: "5m". Default: they are not asked."""
    staging: MoveSettings | None = None
    """What "drill --live staging" really moves, there and back; its environment is "staging" by default."""


class FailoverSettings(MoveSettings):
    """The way from one region to the other. Leave the section out where there is one region."""

    rpo: Duration = timedelta(seconds=60)
    """Replication lag up to which a failover needs no named override."""
    rto: Positive = timedelta(minutes=15)
    """How long it may take from the loss of the region to a verified other one; reports are measured against it."""
    witnesses: Many[WitnessSettings] = Field(min_length=3)
    """At least three; a strict majority must say that the region is lost."""
    hold: Duration = timedelta(minutes=3)
    """How long that majority must last before pult proposes a failover."""
    fresh: Positive = timedelta(minutes=2)
    """How old what a witness says may be, 30s or more; older is no vote. So long may pult be away within a hold."""
    cooldown: Positive = timedelta(minutes=30)
    """How long after a failover none is proposed."""
    automatic: bool = False
    """Whether pult goes on without asking anybody, where nothing holds the plan."""
    drill: DrillSettings = DrillSettings()
    """The rehearsal."""
