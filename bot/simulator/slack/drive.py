"""`/_drive`: act as people, look at everything, break things. JSON; 400 and a sentence when it cannot be."""

import asyncio
from collections.abc import Awaitable, Callable

from aiohttp import web

from bot.simulator.slack.courier import Courier, Delivery
from bot.simulator.slack.department import BOT_USER
from bot.simulator.slack.errors import SlackError
from bot.simulator.slack.person import Person
from bot.simulator.slack.schema import Json
from bot.simulator.slack.state import Workspace
from bot.simulator.slack.trouble import Trouble


class Drive:
    """Handlers by name: `POST /_drive/<name>` acts, `GET /_drive/<name>` looks."""

    def __init__(self, ws: Workspace, courier: Courier) -> None:
        self._ws = ws
        self._courier = courier
        self._acts: dict[str, Callable[[Person, Json], Awaitable[Json]]] = {
            "say": self._say,
            "slash": self._slash,
            "press": self._press,
            "submit": self._submit,
            "home": self._home,
            "delete": self._delete,
            "kick": self._kick,
            "invite": self._invite,
            "archive": self._archive,
        }
        self._levers: dict[str, Callable[[Json], Awaitable[Json]]] = {
            "rates": self._rates,
            "fail": self._fail,
            "settings": self._settings,
            "target": self._target,
            "socket": self._socket,
        }
        self._looks: dict[str, Callable[[web.Request], Json]] = {
            "messages": self._messages,
            "answers": self._answers,
            "views": self._views,
            "files": self._files,
            "calls": self._calls,
            "deliveries": self._deliveries,
            "channels": self._channels,
        }

    def routes(self) -> list[web.RouteDef]:
        return [web.post("/_drive/{name}", self.act), web.get("/_drive/{name}", self.look)]

    async def act(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        try:
            body = await request.json()
            if name in self._levers:
                return web.json_response({"ok": True, **await self._levers[name](body)})
            if name not in self._acts:
                return web.json_response({"ok": False, "error": f"no act called {name}"}, status=404)
            base = f"{request.scheme}://{request.host}{request.path.rpartition('/_drive/')[0]}"
            person = Person(self._ws, self._courier, body.get("user", "U0ANNA"), base)
            return web.json_response({"ok": True, **await self._acts[name](person, body)})
        except (LookupError, ValueError, TypeError, SlackError) as refusal:
            return web.json_response({"ok": False, "error": str(refusal)}, status=400)

    async def look(self, request: web.Request) -> web.Response:
        look = self._looks.get(request.match_info["name"])
        if look is None:
            return web.json_response({"ok": False, "error": "nothing to see by that name"}, status=404)
        return web.json_response({"ok": True, **look(request)})

    # --- acts ---

    async def _say(self, person: Person, body: Json) -> Json:
        """`{user, text, channel?, thread_ts?, mention?}`; without a channel it is a direct message."""
        text = f"<@{BOT_USER}> {body['text']}" if body.get("mention") else body["text"]
        message = person.say(text, body.get("channel"), body.get("thread_ts"))
        return {"channel": message.channel, "ts": message.ts}

    async def _slash(self, person: Person, body: Json) -> Json:
        """`{user, text, channel?, command?}`."""
        delivery = await person.slash(body.get("text", ""), body.get("channel"), body.get("command", "/pult"))
        return _outcome(delivery)

    async def _press(self, person: Person, body: Json) -> Json:
        """`{user, channel?, button, ts?}`; `{forge: {action_id, value}, channel, ts}`; `{view: true, button}`."""
        if "forge" in body:
            return _outcome(await person.forge(body["forge"], body["channel"], body["ts"]))
        if body.get("view"):
            return _outcome(await person.press_view(body["button"]))
        return _outcome(await person.press(body["button"], body.get("channel"), body.get("ts")))

    async def _submit(self, person: Person, body: Json) -> Json:
        """`{user, values}`."""
        return _outcome(await person.submit(body.get("values", {})))

    async def _home(self, person: Person, _body: Json) -> Json:
        person.open_home()
        return {}

    async def _delete(self, person: Person, body: Json) -> Json:
        person.delete(body["channel"], body["ts"])
        return {}

    async def _kick(self, person: Person, body: Json) -> Json:
        person.remove(body["channel"], body.get("member", BOT_USER))
        return {}

    async def _invite(self, person: Person, body: Json) -> Json:
        person.invite(body["channel"], body.get("member", BOT_USER))
        return {}

    async def _archive(self, person: Person, body: Json) -> Json:
        person.archive(body["channel"], archived=body.get("archived", True))
        return {}

    # --- levers ---

    async def _rates(self, body: Json) -> Json:
        """`{scale}`: 1 is Slack's own, 0 is off."""
        self._ws.rates.scale = float(body["scale"])
        return {"scale": self._ws.rates.scale}

    async def _fail(self, body: Json) -> Json:
        """See Trouble.read."""
        self._ws.troubles.add(Trouble.read(body))
        return {}

    async def _settings(self, body: Json) -> Json:
        """`{ack_seconds?, file_processing?, socket_life?, subscriptions?, unknown_blocks?}`."""
        self._courier.ack_seconds = float(body.get("ack_seconds", self._courier.ack_seconds))
        self._ws.shelf.processing = float(body.get("file_processing", self._ws.shelf.processing))
        self._courier.sockets.life = float(body.get("socket_life", self._courier.sockets.life))
        self._ws.subscriptions = set(body.get("subscriptions", self._ws.subscriptions))
        self._ws.unknown_blocks = set(body.get("unknown_blocks", self._ws.unknown_blocks))
        return {}

    async def _target(self, body: Json) -> Json:
        """`{url}`: HTTP mode's request URL, verified with a challenge as Slack does; `{url: null}` forgets it."""
        url = body["url"]
        verified = url is not None and await self._courier.verify(url, self._ws.ident("challenge"))
        self._courier.target = url
        return {"verified": verified}

    async def _socket(self, body: Json) -> Json:
        """`{do: "drop"}` cuts all sockets; `{do: "warning"|"refresh_requested"|"link_disabled"}` says goodbye."""
        do = body["do"]
        if do == "drop":
            return {"sockets": self._courier.sockets.drop()}
        if do not in ("warning", "refresh_requested", "link_disabled"):
            raise ValueError(f"do what? {do}")
        going = [*self._courier.sockets.open]
        async with asyncio.TaskGroup() as group:
            for connection in going:
                group.create_task(self._courier.sockets.refresh(connection, do))
        return {"sockets": len(going)}

    # --- looks ---

    def _messages(self, request: web.Request) -> Json:
        """`?channel=`: every message ever, with revisions, ephemeral and deleted ones too; all channels without."""
        channel = request.query.get("channel")
        found = [m for m in self._ws.messages if channel in (None, m.channel)]
        return {"messages": [message.report() for message in found]}

    def _answers(self, request: web.Request) -> Json:
        """`?user=`: what only that person saw."""
        return {"messages": [message.report() for message in self._ws.answers(request.query["user"])]}

    def _views(self, request: web.Request) -> Json:
        """`?user=`: Home tab and open modals."""
        user = request.query["user"]
        modals = [view for view in self._ws.modals.values() if view["user"] == user]
        return {"home": self._ws.homes.get(user), "modals": modals}

    def _files(self, _request: web.Request) -> Json:
        """Every completed upload and where it was shared; its content as text."""
        shelf = self._ws.shelf
        done = [upload for upload in shelf.files.values() if upload.content is not None and upload.completed_at]
        return {"files": [shelf.wire(each) | {"text": (each.content or b"").decode(errors="replace")} for each in done]}

    def _calls(self, request: web.Request) -> Json:
        method = request.query.get("method")
        return {"calls": [call.report() for call in self._ws.calls if method in (None, call.method)]}

    def _deliveries(self, _request: web.Request) -> Json:
        sockets = self._courier.sockets
        found = [delivery.report() for delivery in self._courier.deliveries]
        return {"deliveries": found, "sockets": len(sockets.open), "late_acks": sockets.late}

    def _channels(self, _request: web.Request) -> Json:
        return {
            "channels": [
                {"id": c.id, "name": c.name, "members": sorted(c.members), "archived": c.archived}
                for c in self._ws.channels.values()
            ]
        }


def _outcome(delivery: Delivery) -> Json:
    """Whether the app acknowledged in time, what it said with that, and how long it took."""
    last = delivery.attempts[-1]
    return {"acked": delivery.acked, "answer": delivery.answer, "seconds": last.seconds, "failure": last.failure}
