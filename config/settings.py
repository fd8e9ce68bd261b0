"""The whole configuration, one section per field (interface.md, section 2)."""

from __future__ import annotations

from pydantic import Field
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from bot.adapters.alertmanager.settings import AlertmanagerSettings
from bot.adapters.digitalocean.settings import DigitaloceanSettings
from bot.adapters.github.settings import GithubSettings
from bot.adapters.kubernetes.settings import ClusterSettings
from bot.adapters.loki.settings import LokiSettings
from bot.adapters.opencost.settings import OpencostSettings
from bot.adapters.prometheus.settings import PrometheusSettings
from bot.adapters.registry.settings import RegistrySettings
from bot.platforms.console.settings import ConsoleSettings
from bot.platforms.slack.settings import SlackSettings
from bot.platforms.telegram.settings import TelegramSettings
from bot.platforms.webhook.settings import PagerSettings
from config.base import Many
from config.failover import FailoverSettings
from config.people import OncallSettings, PersonSettings, RouteSettings, RuleSettings
from config.policy import FreezeSettings
from config.prices import PricesSettings
from config.server import ChatSettings, ServerSettings, StoreSettings, WebhookSettings
from config.services import ServiceSettings, SloSettings
from config.watch import WatchSettings


class Settings(BaseSettings):
    """Made by ``config.loader`` only, which alone reads the file and the environment."""

    model_config = SettingsConfigDict(
        frozen=True,
        strict=True,
        extra="forbid",
        use_attribute_docstrings=True,
        env_prefix="PULT_",
        env_nested_delimiter="__",
    )

    server: ServerSettings = Field(default_factory=ServerSettings)
    """Where pult listens."""
    store: StoreSettings = Field(default_factory=StoreSettings)
    """Where everything that must survive stands."""
    chat: ChatSettings = Field(default_factory=ChatSettings)
    """How pult speaks in shared chats."""
    slack: SlackSettings | None = None
    """Slack. Leave out to run without."""
    telegram: TelegramSettings | None = None
    """Telegram. Leave out to run without."""
    console: ConsoleSettings = Field(default_factory=ConsoleSettings)
    """The web console."""
    pagers: Many[PagerSettings] = ()
    """Paging providers outside people's chats: destinations "webhook:name"."""
    webhooks: WebhookSettings = Field(default_factory=WebhookSettings)
    """Who may post webhooks."""
    people: Many[PersonSettings] = ()
    """Everyone who may talk to pult."""
    routes: Many[RouteSettings] = Field(min_length=1)
    """Where alerts go. At least one; the last without match."""
    oncall: OncallSettings = Field(default_factory=OncallSettings)
    """Who is on call."""
    policy: dict[str, RuleSettings] = Field(default_factory=dict)
    """Who may do what: one table for each action that is not to keep its default."""
    freezes: Many[FreezeSettings] = ()
    """When nothing is promoted."""
    prometheus: PrometheusSettings | None = None
    """Prometheus."""
    alertmanager: AlertmanagerSettings | None = None
    """Alertmanager's API."""
    loki: LokiSettings | None = None
    """Loki."""
    clusters: Many[ClusterSettings] = ()
    """Kubernetes clusters."""
    watch: WatchSettings = Field(default_factory=WatchSettings)
    """What is trouble in the clusters."""
    services: Many[ServiceSettings] = ()
    """The department's services."""
    slos: Many[SloSettings] = ()
    """What was promised for them."""
    github: GithubSettings | None = None
    """GitHub."""
    registries: Many[RegistrySettings] = ()
    """Image registries that want to know who asks."""
    digitalocean: DigitaloceanSettings | None = None
    """DigitalOcean."""
    opencost: OpencostSettings | None = None
    """OpenCost. Leave out to let pult reckon itself."""
    prices: PricesSettings = Field(default_factory=PricesSettings)
    """What things cost."""
    failover: FailoverSettings | None = None
    """The way from one region to the other."""

    @property
    def regions(self) -> dict[str, str]:
        """The region of each cluster."""
        return {each.name: each.region for each in self.clusters}

    @property
    def destinations(self) -> tuple[str, ...]:
        """Where routes and plans lead to, each once."""
        return tuple(dict.fromkeys((*(each for route in self.routes for each in route.to), *self.chat.approvals)))

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003 - pydantic-settings' signature
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Only what the loader hands over: it has merged an environment in, which need not be the process's own."""
        return (init_settings,)
