"""The simulated department as Telegram sees it: fixed ids shared with the demo configuration and the tests."""

from dataclasses import dataclass, field
from typing import Any, Final

Json = dict[str, Any]

TOKEN: Final = "424242:SIM"  # noqa: S105 - the simulator's own, known to everyone
BOT_ID: Final = 424242
BOT_USERNAME: Final = "pult_sim_bot"
INCIDENTS: Final = -1001000000001
OPS: Final = -1001000000002
TOPIC: Final = 17
OUTSIDER: Final = 6666

PEOPLE: Final = {1001: "anna", 1002: "boris", 1003: "chen", 1004: "vera", OUTSIDER: "mallory"}
_STARTED: Final = (1001, 1002, 1003, 1004)
"""Who has pressed Start: a bot cannot write first to anyone else."""


def bot() -> Json:
    return {"id": BOT_ID, "is_bot": True, "first_name": "pult", "username": BOT_USERNAME}


def person(user: int) -> Json:
    name = PEOPLE[user]
    return {
        "id": user,
        "is_bot": False,
        "first_name": name.capitalize(),
        "username": f"{name}_dept",
        "language_code": "en",
    }


@dataclass
class Topic:
    """A forum topic; *state* is open, closed or deleted."""

    name: str
    state: str = "open"


@dataclass
class Chat:
    """One chat. *bot* is the bot's membership: administrator, member, kicked, left; blocked in private."""

    id: int
    type: str
    title: str
    bot: str = "member"
    members: set[int] = field(default_factory=set)
    topics: dict[int, Topic] = field(default_factory=dict)
    is_forum: bool = False
    migrated_to: int | None = None
    general_closed: bool = False
    rich_clients: bool = True
    """Whether the clients here can draw rich messages; the API answers ok either way."""
    last_id: int = 100

    @property
    def is_group(self) -> bool:
        return self.type in ("group", "supergroup")

    def wire(self) -> Json:
        if self.type == "private":
            who = person(self.id)
            return {
                "id": self.id,
                "first_name": who["first_name"],
                "username": who["username"],
                "type": "private",
            }
        shown: Json = {"id": self.id, "title": self.title, "type": self.type}
        if self.type == "group":
            shown["all_members_are_administrators"] = False
        if self.is_forum:
            shown["is_forum"] = True
        return shown


def chats() -> dict[int, Chat]:
    people = set(PEOPLE)
    found = [
        Chat(INCIDENTS, "supergroup", "Incidents", "administrator", set(people)),
        Chat(OPS, "supergroup", "Ops", "administrator", set(people), {TOPIC: Topic("deploys")}, is_forum=True),
        *(Chat(user, "private", PEOPLE[user], "member" if user in _STARTED else "left", {user}) for user in PEOPLE),
    ]
    return {chat.id: chat for chat in found}
