"""The simulated department as Slack sees it: fixed names shared with the demo configuration and the tests."""

from dataclasses import dataclass, field
from typing import Final

TEAM: Final = "T0DEPT"
TEAM_DOMAIN: Final = "dept"
APP: Final = "A0PULT"
BOT_USER: Final = "U0PULT"
BOT_ID: Final = "B0PULT"
BOT_NAME: Final = "pult"
BOT_TOKEN: Final = "xoxb-sim"  # noqa: S105 - the simulator's own, known to everyone
APP_TOKEN: Final = "xapp-sim"  # noqa: S105
SIGNING_SECRET: Final = "sim-signing-secret"  # noqa: S105
VERIFICATION: Final = "legacy-verification-token"
SCOPES: Final = (
    "chat:write,commands,app_mentions:read,im:history,im:write,channels:history,groups:history,channels:read,groups:read,"
    "users:read,files:write,files:read,reactions:write,pins:write"
)
SUBSCRIPTIONS: Final = ("app_home_opened", "app_mention", "message.im", "member_left_channel", "channel_archive")
"""bot_events of pult's manifest that this simulator can send."""

PEOPLE: Final = {
    "U0ANNA": "anna",
    "U0BORIS": "boris",
    "U0CHEN": "chen",
    "U0VERA": "vera",
    "U0MALLORY": "mallory",
    BOT_USER: BOT_NAME,
}
CHANNELS: Final = {"C0INC": "incidents", "C0OPS": "ops", "C0REL": "releases"}


@dataclass
class Channel:
    """A public channel, or the direct-message channel of *owner* and the bot."""

    id: str
    name: str
    members: set[str] = field(default_factory=set)
    archived: bool = False
    owner: str | None = None

    @property
    def kind(self) -> str:
        """`channel_type` of events."""
        return "im" if self.owner else "channel"


def channels() -> dict[str, Channel]:
    return {id_: Channel(id_, name, set(PEOPLE)) for id_, name in CHANNELS.items()}


def direct_id(user: str) -> str:
    """Channel id of the direct messages between *user* and the bot."""
    return f"D{user[1:]}"
