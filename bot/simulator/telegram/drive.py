"""`/_drive`: act as people, look at everything, break things. JSON; 400 and a sentence when it cannot be."""

from collections.abc import Callable

from aiohttp import web

from bot.simulator.telegram.department import Json
from bot.simulator.telegram.person import Person
from bot.simulator.telegram.state import Telegram
from bot.simulator.telegram.trouble import Trouble

_STATUSES = ("administrator", "member", "kicked", "left", "blocked")
_ANNA = 1001


class Drive:
    """Handlers by name: `POST /_drive/<name>` acts, `GET /_drive/<name>` looks."""

    def __init__(self, tg: Telegram) -> None:
        self._tg = tg
        self._acts: dict[str, Callable[[Person, Json], Json]] = {
            "say": _say,
            "edit": _edit,
            "press": _press,
            "delete": _delete,
            "bot": _bot,
            "kick": lambda person, body: _bot(person, {**body, "status": "kicked"}),
            "topic": _topic,
            "group": _group,
            "migrate": _migrate,
        }
        self._levers: dict[str, Callable[[Json], Json]] = {
            "rates": self._rates,
            "fail": self._fail,
            "clients": self._clients,
            "server": self._server,
        }
        self._looks: dict[str, Callable[[web.Request], Json]] = {
            "messages": self._messages,
            "answers": lambda request: Person(self._tg, int(request.query["user"])).answers(),
            "calls": self._calls,
            "updates": lambda _request: {"pending": self._tg.updates.pending},
            "chats": self._chats,
            "commands": self._commands,
        }

    def routes(self) -> list[web.RouteDef]:
        return [web.post("/_drive/{name}", self.act), web.get("/_drive/{name}", self.look)]

    async def act(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        try:
            body = await request.json()
            if name in self._levers:
                return web.json_response({"ok": True, **self._levers[name](body)})
            if name not in self._acts:
                return web.json_response({"ok": False, "error": f"no act called {name}"}, status=404)
            return web.json_response({"ok": True, **self._acts[name](Person(self._tg, body.get("user", _ANNA)), body)})
        except (LookupError, ValueError, TypeError) as refusal:
            return web.json_response({"ok": False, "error": str(refusal)}, status=400)

    async def look(self, request: web.Request) -> web.Response:
        look = self._looks.get(request.match_info["name"])
        if look is None:
            return web.json_response({"ok": False, "error": "nothing to see by that name"}, status=404)
        try:
            return web.json_response({"ok": True, **look(request)})
        except (LookupError, ValueError) as refusal:
            return web.json_response({"ok": False, "error": str(refusal)}, status=400)

    # --- levers ---

    def _rates(self, body: Json) -> Json:
        """`{scale}`: 1 is Telegram's own, 0 is off."""
        self._tg.rates.scale = float(body["scale"])
        return {"scale": self._tg.rates.scale}

    def _fail(self, body: Json) -> Json:
        """See Trouble.read."""
        self._tg.troubles.add(Trouble.read(body))
        return {}

    def _clients(self, body: Json) -> Json:
        """`{chat, rich}`: whether the clients of a chat draw rich messages; reports then say `drawn`."""
        self._tg.chats[body["chat"]].rich_clients = bool(body["rich"])
        return {}

    def _server(self, body: Json) -> Json:
        """`{without: [methods]}`: a server that is too old for these."""
        self._tg.unknown = {str(name).lower() for name in body["without"]}
        return {}

    # --- looks ---

    def _messages(self, request: web.Request) -> Json:
        """`?chat=`: every message ever, with revisions, ephemeral and deleted ones too; all chats without."""
        chat = request.query.get("chat")
        found = [m for m in self._tg.messages if chat in (None, str(m.chat.id))]
        return {"messages": [message.report() for message in found]}

    def _calls(self, request: web.Request) -> Json:
        method = request.query.get("method")
        return {"calls": [call.report() for call in self._tg.calls if method in (None, call.method)]}

    def _chats(self, _request: web.Request) -> Json:
        return {
            "chats": [
                {
                    **chat.wire(),
                    "bot": chat.bot,
                    "members": sorted(chat.members),
                    "topics": {str(id_): topic.state for id_, topic in chat.topics.items()},
                    "migrated_to": chat.migrated_to,
                }
                for chat in self._tg.chats.values()
            ]
        }

    def _commands(self, _request: web.Request) -> Json:
        return {
            "commands": [
                {"scope": scope, "language_code": language, "commands": commands}
                for (scope, language), commands in self._tg.profile.commands.items()
            ]
        }


def _say(person: Person, body: Json) -> Json:
    """`{user, text, chat?, thread?, reply_to?}`; without a chat it is private."""
    message = person.say(body["text"], body.get("chat"), body.get("thread"), body.get("reply_to"))
    return {"chat": message.chat.id, "message_id": message.id}


def _edit(person: Person, body: Json) -> Json:
    """`{user, chat?, message_id, text}`."""
    person.edit(body.get("chat"), body["message_id"], body["text"])
    return {}


def _press(person: Person, body: Json) -> Json:
    """`{user, button, chat?, message_id?}`, or `{user, forge: data, chat, message_id}`."""
    if "forge" in body:
        return {"press": person.forge(body["forge"], body["chat"], body["message_id"]).id}
    return {"press": person.press(body["button"], body.get("chat"), body.get("message_id")).id}


def _delete(person: Person, body: Json) -> Json:
    """`{user, chat?, message_id}`."""
    person.delete(body.get("chat"), body["message_id"])
    return {}


def _bot(person: Person, body: Json) -> Json:
    """`{user, chat?, status}`: administrator, member, kicked, left; blocked in private."""
    if body["status"] not in _STATUSES:
        raise ValueError(f"status is one of {', '.join(_STATUSES)}")
    person.membership(body.get("chat"), body["status"])
    return {}


def _topic(person: Person, body: Json) -> Json:
    """`{user, chat, thread, state: open|closed|deleted, name?}`."""
    if body["state"] not in ("open", "closed", "deleted"):
        raise ValueError("state is open, closed or deleted")
    person.topic(body["chat"], body["thread"], body["state"], body.get("name", "topic"))
    return {}


def _group(person: Person, body: Json) -> Json:
    """`{user, chat, title}`: a new basic group."""
    return {"chat": person.group(body["chat"], body["title"]).id}


def _migrate(person: Person, body: Json) -> Json:
    """`{user, chat}`."""
    return {"chat": person.migrate(body["chat"]).id}
