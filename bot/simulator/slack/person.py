"""Acting as a person in the workspace: say, command, press, submit."""

from dataclasses import dataclass

from bot.simulator.slack import hooks, payloads, views
from bot.simulator.slack.courier import Courier, Delivery
from bot.simulator.slack.department import BOT_USER, Channel
from bot.simulator.slack.errors import SlackError
from bot.simulator.slack.messages import Button, Message, Revision, buttons
from bot.simulator.slack.schema import Json
from bot.simulator.slack.state import Workspace


@dataclass(frozen=True)
class Person:
    """*base* is the address the app reaches this Slack at, for response urls. LookupError: no such thing to act on."""

    ws: Workspace
    courier: Courier
    user: str
    base: str

    def __post_init__(self) -> None:
        if self.user not in self.ws.people:
            raise LookupError(f"nobody here is called {self.user}")

    def _channel(self, id_: str | None) -> Channel:
        """None: the direct messages with the bot."""
        if id_ is None:
            return self.ws.direct(self.user)
        found = self.ws.channels.get(id_)
        if found is None or self.user not in found.members:
            raise LookupError(f"{self.user} is in no channel {id_}")
        return found

    def say(self, text: str, channel: str | None = None, thread_ts: str | None = None) -> Message:
        """Type a message; a mention of the bot is `<@U0PULT>` in the text."""
        where = self._channel(channel)
        if where.archived:
            raise LookupError(f"{where.id} is archived")
        message = self.ws.post(where.id, self.user, Revision(self.ws.now(), text), thread_ts=thread_ts)
        if BOT_USER in where.members:
            if f"<@{BOT_USER}>" in text and not where.owner:
                self.courier.event(payloads.app_mention(self.ws, message))
            self.courier.event(payloads.message_event(self.ws, message, where))
        return message

    async def slash(self, text: str, channel: str | None = None, command: str = "/pult") -> Delivery:
        """A slash command; an answer inside the acknowledgement is shown to the person at once."""
        where = self._channel(channel)
        key = self.ws.tickets.response(self.user, where.id, None, None)
        url = f"{self.base}/hooks/commands/{key}"
        delivery = await self.courier.interact(
            "slash_commands", payloads.slash(self.ws, self.user, where, command, text, url)
        )
        hooks.acknowledged(self.ws, self.ws.tickets.look(key), delivery.answer)
        return delivery

    def find(self, button: str, channel: str | None = None, ts: str | None = None) -> tuple[Message, Button]:
        """The newest message this person sees that has *button* (its text, value or action_id)."""
        where = self._channel(channel)
        for message in reversed(self.ws.everything(where.id)):
            if message.deleted_at or message.receiver not in (None, self.user) or ts not in (None, message.ts):
                continue
            for found in message.buttons:
                if button in (found.text, found.value, found.action_id) and found.visible_to(self.user):
                    return message, found
        raise LookupError(f"{self.user} sees no button {button!r} in {where.id}")

    async def press(self, button: str, channel: str | None = None, ts: str | None = None) -> Delivery:
        message, found = self.find(button, channel, ts)
        return await self._pressed(message, payloads.action(self.ws, found))

    async def forge(self, action: Json, channel: str, ts: str) -> Delivery:
        """A press that no button offers: *action* is sent as it is, on any message, also a deleted one."""
        for message in self.ws.everything(channel):
            if message.ts == ts:
                full = {"type": "button", "block_id": "forged", "action_ts": self.ws.stamp(), **action}
                return await self._pressed(message, full)
        raise LookupError(f"there was never a message {ts} in {channel}")

    async def _pressed(self, message: Message, action: Json) -> Delivery:
        key = self.ws.tickets.response(self.user, message.channel, message.ts, message.thread_ts)
        url = f"{self.base}/hooks/actions/{key}"
        payload = payloads.press_in_message(self.ws, self.user, message, action, url)
        return await self.courier.interact("interactive", payload)

    async def press_view(self, button: str) -> Delivery:
        """A button in the person's open modal, else on the Home tab."""
        open_ = views.stack(self.ws, self.user)
        view = open_[-1] if open_ else self.ws.homes.get(self.user)
        for found in buttons(tuple(view["blocks"])) if view else []:
            if view and button in (found.text, found.value, found.action_id):
                payload = payloads.press_in_view(self.ws, self.user, view, payloads.action(self.ws, found))
                return await self.courier.interact("interactive", payload)
        raise LookupError(f"{self.user} sees no button {button!r} in a view")

    async def submit(self, values: Json) -> Delivery:
        """Submit the top modal with *values* `{block_id: {action_id: {…}}}`; the answer acts on the modal."""
        open_ = views.stack(self.ws, self.user)
        if not open_:
            raise LookupError(f"{self.user} has no modal open")
        view = open_[-1]
        payload = payloads.view_submission(self.ws, self.user, view, values)
        delivery = await self.courier.interact("interactive", payload)
        if delivery.acked:
            self._after_submit(view, delivery.answer)
        return delivery

    def _after_submit(self, view: Json, answer: object) -> None:
        said = answer if isinstance(answer, dict) else {}
        match said.get("response_action"):
            case "errors":
                return
            case "update":
                views.replace_modal(self.ws, view, said.get("view"))
            case "push":
                views.put_modal(self.ws, self.user, said.get("view"), onto=views.stack(self.ws, self.user))
            case "clear":
                for one in views.stack(self.ws, self.user):
                    del self.ws.modals[one["id"]]
            case None:
                del self.ws.modals[view["id"]]
            case other:
                raise SlackError("invalid_arguments", [f"unknown response_action: {other}"])

    def open_home(self) -> None:
        """Open the app's Home tab."""
        self.courier.event(payloads.home_opened(self.ws, self.user, self.ws.direct(self.user)))

    def delete(self, channel: str, ts: str) -> None:
        """Delete a message by hand, as its author or an administrator."""
        message = self.ws.find(channel, ts)
        if message is None:
            raise LookupError(f"no message {ts} in {channel}")
        self.ws.delete(message)
        self.courier.event(payloads.message_deleted(self.ws, message, self.ws.channels[channel]))

    def remove(self, channel: str, member: str = BOT_USER) -> None:
        """Remove a member, by default the bot."""
        where = self._channel(channel)
        where.members.discard(member)
        self.courier.event(payloads.member_left(self.ws, member, where))

    def invite(self, channel: str, member: str = BOT_USER) -> None:
        self._channel(channel).members.add(member)

    def archive(self, channel: str, *, archived: bool = True) -> None:
        where = self._channel(channel)
        where.archived = archived
        if archived:
            self.courier.event(payloads.channel_archive(self.ws, self.user, where))
