"""What the bot says of itself: commands by scope and language, names, descriptions, menu buttons."""

import json
import re
from collections.abc import Callable
from typing import Any, Final

from bot.simulator.telegram import limits
from bot.simulator.telegram.args import Args
from bot.simulator.telegram.department import Json
from bot.simulator.telegram.errors import bad_request
from bot.simulator.telegram.state import Telegram

_LENGTHS: Final = {
    "name": limits.BOT_NAME,
    "description": limits.DESCRIPTION,
    "short_description": limits.SHORT_DESCRIPTION,
}


def _key(args: Args) -> tuple[str, str]:
    scope = args.structure("scope") or {"type": "default"}
    return json.dumps(scope, sort_keys=True), args.text("language_code")


def _command(command: object) -> Json:
    if not isinstance(command, dict):
        raise bad_request("can't parse BotCommand: expected an Object")
    if not re.fullmatch(limits.COMMAND, str(command.get("command", "")).removeprefix("/")):
        raise bad_request("BOT_COMMAND_INVALID")
    if not 1 <= len(str(command.get("description", ""))) <= limits.COMMAND_DESCRIPTION:
        raise bad_request("BOT_COMMAND_DESCRIPTION_INVALID")
    return {**command, "command": str(command["command"]).removeprefix("/")}


def set_commands(tg: Telegram, args: Args) -> bool:
    commands = args.structure("commands")
    if not isinstance(commands, list):
        raise bad_request("can't parse commands: expected an Array of BotCommand")
    if len(commands) > limits.COMMANDS:
        raise bad_request("BOT_COMMANDS_TOO_MUCH")
    tg.profile.commands[_key(args)] = [_command(command) for command in commands]
    return True


def get_commands(tg: Telegram, args: Args) -> list[Json]:
    return tg.profile.commands.get(_key(args), [])


def delete_commands(tg: Telegram, args: Args) -> bool:
    tg.profile.commands.pop(_key(args), None)
    return True


def text_setter(field: str) -> Callable[[Telegram, Args], bool]:
    """setMyName, setMyDescription, setMyShortDescription."""

    def run(tg: Telegram, args: Args) -> bool:
        value = args.text(field)
        if len(value) > _LENGTHS[field]:
            raise bad_request(f"BOT_{field.upper()}_TOO_LONG")
        tg.profile.texts[field, args.text("language_code")] = value
        return True

    return run


def text_getter(field: str) -> Callable[[Telegram, Args], Json]:
    def run(tg: Telegram, args: Args) -> Json:
        return {field: tg.profile.texts.get((field, args.text("language_code")), "")}

    return run


def set_menu_button(tg: Telegram, args: Args) -> bool:
    tg.profile.menu_buttons[args.text("chat_id")] = args.structure("menu_button") or {"type": "default"}
    return True


def get_menu_button(tg: Telegram, args: Args) -> Any:  # noqa: ANN401 - as it was set
    return tg.profile.menu_buttons.get(args.text("chat_id"), {"type": "default"})
