"""The process itself: its address, its store, how it speaks, who may post webhooks to it."""

from __future__ import annotations

from datetime import timedelta
from socket import gethostname
from typing import Annotated, Literal, Self

from pydantic import Field, SecretStr, field_validator, model_validator

from bot.domain.texts import web
from config.base import (
    CLOCK,
    WEEKLY,
    Header,
    Locale,
    Many,
    MaybeAddress,
    Network,
    Positive,
    Secret,
    Section,
    User,
    Zone,
    matching,
)


class ServerSettings(Section):
    """Where pult listens."""

    host: str = Field(default="127.0.0.1", min_length=1)
    """Address to listen on. "0.0.0.0" or "::" in a container."""
    port: int = Field(default=8080, ge=0, le=65_535)
    """Port for webhooks, console and metrics. 0 takes any free one."""
    public_url: MaybeAddress = ""
    """Address under which others reach pult. Needed for Telegram's webhook mode and for links in messages."""
    drain_seconds: int = Field(default=10, ge=0, le=600)
    """Seconds to finish after SIGTERM. Keep it under the pod's terminationGracePeriodSeconds."""
    backlog: int = Field(default=100_000, ge=1)
    """Undelivered cards above which webhooks are answered 503. Raise it with the disk."""
    heartbeat_url: SecretStr | None = None
    """Called once a minute, so that somebody watches pult (a dead man's switch). Unset: nobody does."""

    replica: str = Field(default="", max_length=200)
    """Name of this replica among several on one PostgreSQL. Empty: the host's name (in Kubernetes the pod's) and port.

    A process takes over at once what an earlier one of the same name held, so no two that live may share one.
    """

    replicas: int = Field(default=1, ge=1, le=100)
    """How many replicas you run. pult check then says where the store can't serve so many, and who is missing."""

    @field_validator("heartbeat_url")
    @classmethod
    def _http(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not web(value.get_secret_value()):
            raise ValueError("an http:// or https:// address")
        return value


def replica_name(server: ServerSettings) -> str:
    """What this replica is called."""
    return server.replica or f"{gethostname()}:{server.port}"


class StoreSettings(Section):
    """Where everything that must survive stands."""

    url: SecretStr = SecretStr("sqlite:///pult.db")
    """"sqlite:///path" or "postgresql://user:password@host1,host2/pult?target_session_attrs=read-write".

    SQLite serves one replica; take PostgreSQL for two or more. A secret, since it may hold a password.
    """
    spool: str = ""
    """A directory of this replica's own for what webhooks bring while the store is away. Empty: it is refused only.

    It is shown to people from there, and merged into the store once that is back. Take one on a disk that outlives the
    process, and for no two replicas the same.
    """
    spool_megabytes: int = Field(default=64, ge=1, le=10_000)
    """How large the spool may grow. Full, it takes no more, and senders keep what they have."""
    retention: Positive = timedelta(days=90)
    """How long events, resolved alerts and their cards are kept. The audit trail and operations stay for good."""

    @field_validator("url")
    @classmethod
    def _known(cls, value: SecretStr) -> SecretStr:
        if not value.get_secret_value().startswith(("sqlite:///", "postgresql://", "postgres://")):
            raise ValueError("sqlite:///PATH or postgresql://HOST[,HOST…]/DATABASE")
        return value


class ChatSettings(Section):
    """How pult speaks in shared chats. Private answers speak the person's language, in the person's zone."""

    locale: Locale = "en"
    """Language of shared chats: "en" or "ru"."""
    timezone: Zone = "UTC"
    """Time zone of shared chats, by its tz database name."""
    approvals: Many[str] = ()
    """Destinations where every plan card appears, besides the chat that asked."""
    storm: int = Field(default=10, ge=0)
    """New alert groups a minute in one chat above which those that are not critical share a card. 0: never."""
    runbooks: MaybeAddress = ""
    """Where your people read docs/runbooks, for links from pult's own alerts. Empty: no links."""
    pictures: Literal["dark", "light"] = "dark"
    """The card that graphs are drawn on for Slack and Telegram, which do not tell how a reader's app looks.

    A dark one reads well in light chats too; a light one glares in dark ones.
    """
    digest: Annotated[str, matching(rf"({WEEKLY})?", 'a day and a time, "Mon 09:00", or nothing')] = "Mon 09:00"
    """When the week's digest goes to the last route's chats, in the chat's time zone. Empty: never.

    It tells of alerts, and of error budgets where SLOs are configured.
    """
    slo_digest: Annotated[str, matching(rf"({CLOCK})?", 'a time, "09:00", or nothing')] = "09:00"
    """When each day's digest of error budgets goes to the same chats, where SLOs are configured. Empty: never.

    At the very time of the week's digest it is part of that one.
    """


class ClientCertificate(Section):
    """A client certificate (mTLS) that a proxy in front of pult has checked."""

    header: Header = "X-SSL-Client-Verify"
    """Header in which the proxy says so. It must overwrite what the client itself sent under that name."""
    value: str = Field(default="SUCCESS", min_length=1)
    """What the header says of a good certificate, to the letter: nginx's $ssl_client_verify, or one subject's name."""
    proxies: Many[Network] = Field(min_length=1)
    """Addresses of the proxies, as networks: the header counts from nobody else. No default."""


class AlertmanagerHook(Section):
    """POST /webhooks/alertmanager: a token, Basic username and password, a client certificate.

    Token and Basic are alternatives. A certificate is asked for besides them where they are set, never instead.
    """

    token: Secret | None = None
    """Token of any scheme (http_config.authorization.credentials in Alertmanager)."""
    username: User = ""
    """Basic authentication, together with password."""
    password: Secret | None = None
    """Basic authentication, together with username."""
    client_certificate: ClientCertificate | None = None
    """mTLS in front of pult. Unset: nobody asks for a certificate."""

    @model_validator(mode="after")
    def _credentials(self) -> Self:
        if _half(self.username, self.password) or not (self.token or self.password or self.client_certificate):
            raise ValueError("token, username together with password, or client_certificate")
        return self


class GrafanaHook(Section):
    """POST or PUT /webhooks/grafana. Everything that is set here must be right in every request."""

    secret: Secret | None = None
    """HMAC key. Grafana signs the body, and the time too where timestamp_header is set."""
    signature_header: Header | None = None
    """Where Grafana's contact point puts the signature. Unset: X-Grafana-Alerting-Signature, its own default."""
    timestamp_header: Header | None = None
    """Where it puts the time it signed. Unset: it signs the body alone, and a recorded request could be sent again."""
    token: Secret | None = None
    """Credentials of the contact point's Authorization header, of any scheme."""
    username: User = ""
    """Basic authentication, together with password."""
    password: Secret | None = None
    """Basic authentication, together with username."""

    @model_validator(mode="after")
    def _credentials(self) -> Self:
        if _half(self.username, self.password) or not (self.secret or self.token or self.password):
            raise ValueError("secret, token, or username together with password")
        if self.token and self.password:
            raise ValueError("token or password, since a request has one Authorization header")
        if self.timestamp_header and not self.secret:
            raise ValueError("timestamp_header together with secret, since a time that nobody signed proves nothing")
        return self


def _half(username: str, password: SecretStr | None) -> bool:
    return bool(username) != (password is not None)


class GithubHook(Section):
    """POST /webhooks/github."""

    secret: Secret
    """The webhook's secret (header X-Hub-Signature-256)."""


class ArgocdHook(Section):
    """POST /webhooks/argocd."""

    token: Secret
    """Bearer token that Argo CD's notification service sends."""


class FluxHook(Section):
    """POST /webhooks/flux."""

    secret: Secret
    """HMAC key of the provider "generic-hmac" (header X-Signature)."""


class ReleaseHook(Section):
    """POST /webhooks/release: notifications from any CI."""

    secret: Secret
    """HMAC key (headers X-Pult-Signature and X-Pult-Timestamp)."""


class WebhookSettings(Section):
    """Who may post webhooks. A source without its table is refused."""

    alertmanager: AlertmanagerHook | None = None
    """Alertmanager's notifications."""
    grafana: GrafanaHook | None = None
    """Grafana's alerts."""
    github: GithubHook | None = None
    """GitHub: releases, tags, images, workflows, deployments."""
    argocd: ArgocdHook | None = None
    """Argo CD's notifications."""
    flux: FluxHook | None = None
    """Flux's events."""
    release: ReleaseHook | None = None
    """Releases from any CI."""
