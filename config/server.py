"""The process itself: its address, its store, how it speaks, who may post webhooks to it."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Self

from pydantic import Field, SecretStr, field_validator, model_validator

from config.base import WEEKLY, Locale, Many, Positive, Section, Zone, matching


class ServerSettings(Section):
    """Where pult listens."""

    host: str = Field(default="127.0.0.1", min_length=1)
    """Address to listen on. "0.0.0.0" or "::" in a container."""
    port: int = Field(default=8080, ge=0, le=65_535)
    """Port for webhooks, console and metrics. 0 takes any free one."""
    public_url: Annotated[str, matching(r"(https?://\S+)?", "an http:// or https:// address")] = ""
    """Address under which others reach pult. Needed for Telegram's webhook mode and for links in messages."""
    drain_seconds: int = Field(default=10, ge=0, le=600)
    """Seconds to finish after SIGTERM. Keep it under the pod's terminationGracePeriodSeconds."""
    backlog: int = Field(default=100_000, ge=1)
    """Undelivered cards above which webhooks are answered 503. Raise it with the disk."""
    heartbeat_url: SecretStr | None = None
    """Called once a minute, so that somebody watches pult (a dead man's switch). Unset: nobody does."""

    @field_validator("heartbeat_url")
    @classmethod
    def _http(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not value.get_secret_value().startswith(("https://", "http://")):
            raise ValueError("an http:// or https:// address")
        return value


class StoreSettings(Section):
    """Where everything that must survive stands."""

    url: SecretStr = SecretStr("sqlite:///pult.db")
    """"sqlite:///path" or "postgresql://user:password@host1,host2/pult?target_session_attrs=read-write".

    SQLite serves one replica; take PostgreSQL for two or more. A secret, since it may hold a password.
    """
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
    digest: Annotated[str, matching(rf"({WEEKLY})?", 'a day and a time, "Mon 09:00", or nothing')] = "Mon 09:00"
    """When the week's digest goes to the last route's chats, in the chat's time zone. Empty: never."""


class AlertmanagerHook(Section):
    """POST /webhooks/alertmanager: a Bearer token, or Basic username and password."""

    token: SecretStr | None = None
    """Bearer token (http_config.authorization.credentials in Alertmanager)."""
    username: str = ""
    """Basic authentication, together with password."""
    password: SecretStr | None = None
    """Basic authentication, together with username."""

    @model_validator(mode="after")
    def _credentials(self) -> Self:
        basic = bool(self.username) and self.password is not None
        half = bool(self.username) != (self.password is not None)
        if half or not (self.token or basic):
            raise ValueError("token, or username together with password")
        return self


class GrafanaHook(Section):
    """POST /webhooks/grafana: an HMAC secret or a Bearer token."""

    secret: SecretStr | None = None
    """HMAC key (header X-Grafana-Alerting-Signature)."""
    token: SecretStr | None = None
    """Bearer token, for a Grafana without HMAC."""

    @model_validator(mode="after")
    def _credentials(self) -> Self:
        if not (self.secret or self.token):
            raise ValueError("secret or token")
        return self


class GithubHook(Section):
    """POST /webhooks/github."""

    secret: SecretStr
    """The webhook's secret (header X-Hub-Signature-256)."""


class ArgocdHook(Section):
    """POST /webhooks/argocd."""

    token: SecretStr
    """Bearer token that Argo CD's notification service sends."""


class FluxHook(Section):
    """POST /webhooks/flux."""

    secret: SecretStr
    """HMAC key of the provider "generic-hmac" (header X-Signature)."""


class ReleaseHook(Section):
    """POST /webhooks/release: notifications from any CI."""

    secret: SecretStr
    """HMAC key (headers X-Pult-Signature and X-Pult-Timestamp)."""


class WebhookSettings(Section):
    """Who may post webhooks. A source without its table is refused."""

    alertmanager: AlertmanagerHook | None = None
    """Alertmanager's notifications."""
    grafana: GrafanaHook | None = None
    """Grafana's alerts."""
    github: GithubHook | None = None
    """GitHub's release events."""
    argocd: ArgocdHook | None = None
    """Argo CD's notifications."""
    flux: FluxHook | None = None
    """Flux's events."""
    release: ReleaseHook | None = None
    """Releases from any CI."""
