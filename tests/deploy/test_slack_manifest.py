"""deploy/slack/manifest.yaml asks for exactly what the code uses."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.adapters.clock import SystemClock
from bot.domain.errors import PermanentError
from bot.platforms.slack import reading
from bot.platforms.slack.opening import open_slack
from bot.platforms.slack.settings import SlackSettings
from bot.platforms.slack.transport import SCOPES
from bot.simulator.slack import department as workspace
from bot.simulator.slack.methods import METHODS
from tests.department import INCIDENTS, Department, shown, until
from tests.promises.alerts import fires
from tests.pult_fixtures import Make, department, fresh, make, store_url

__all__ = ["department", "fresh", "make", "store_url"]

ROOT = Path(__file__).parents[2]
SLACK = ROOT / "bot/platforms/slack"
MANIFEST: dict[str, Any] = yaml.safe_load((ROOT / "deploy/slack/manifest.yaml").read_text())
ASKED: list[str] = MANIFEST["oauth_config"]["scopes"]["bot"]
EVENTS: list[str] = MANIFEST["settings"]["event_subscriptions"]["bot_events"]
HEARD = {"app_mention": "app_mentions:read", "message.im": "im:history"}
"""The scope that Slack asks for with each event. Source: docs.slack.dev/reference/events."""


def test_it_asks_for_the_scopes_that_the_doctor_misses_when_they_are_not_there() -> None:
    assert sorted(SCOPES) == ASKED


def test_every_method_that_is_called_has_its_scope_and_every_scope_its_use() -> None:
    text = "".join(path.read_text() for path in SLACK.glob("*.py"))
    called = {_method(name) for name in re.findall(r"_client\.([a-z]+_\w+)\(", text)}
    assert {"chat.postMessage", "files.completeUploadExternal", "conversations.history"} <= called
    wanted = {scope for name in called & set(METHODS) for scope in METHODS[name].scopes}
    assert {name for name in called if name in METHODS and not _granted(name)} == set()
    assert set(ASKED) == wanted | {HEARD[event] for event in EVENTS} | {"commands"}


def test_it_subscribes_to_the_events_that_are_read_and_to_no_others() -> None:
    read = set(re.findall(r'"(app_mention|message)"', Path(reading.__file__).read_text()))
    assert read == {event.partition(".")[0] for event in EVENTS}
    assert set(EVENTS) == set(HEARD) <= set(workspace.SUBSCRIPTIONS)


def test_its_command_is_the_one_that_is_read_and_its_buttons_and_socket_are_on() -> None:
    (command,) = MANIFEST["features"]["slash_commands"]
    assert reading.typed(f"{command['command']} slo api") == "slo api"
    assert command["should_escape"]
    assert reading.typed("page <@U0ANNA|anna> now") == "page anna now", "what should_escape makes of a name"
    assert MANIFEST["settings"]["interactivity"]["is_enabled"]
    assert MANIFEST["settings"]["socket_mode_enabled"]
    assert MANIFEST["features"]["app_home"]["messages_tab_read_only_enabled"] is False


def test_slacks_own_limits_hold() -> None:
    """Source: docs.slack.dev/reference/app-manifest."""
    (command,) = MANIFEST["features"]["slash_commands"]
    assert len(MANIFEST["display_information"]["name"]) <= 35
    assert len(MANIFEST["display_information"]["description"]) <= 140
    assert len(command["command"]) <= 32
    assert len(command["description"]) <= 2000
    assert len(command["usage_hint"]) <= 1000


async def test_with_these_scopes_everything_works(
    make: Make, department: Department, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workspace, "SCOPES", ",".join(ASKED))
    pult = make()
    await pult.start()
    assert (await pult.alert(fires("PoolExhausted"))).status == 200

    async def posted() -> list[str]:
        return [text for m in await department.slack_messages(INCIDENTS) if "PoolExhausted" in (text := shown(m))]

    assert len(await until("no card", posted)) == 1
    await department.slack("slash", user="U0ANNA", text="whoami")

    async def answered() -> bool:
        return any("You are anna" in shown(m) for m in await department.slack_answers("U0ANNA"))

    await until("no answer", answered)
    status, out, _ = await pult.run("check")
    assert "ok    slack: pult in Department, hears over Socket Mode" in out, status


@pytest.mark.parametrize("scope", ASKED)
async def test_the_doctor_names_each_that_is_missing(
    department: Department, monkeypatch: pytest.MonkeyPatch, scope: str
) -> None:
    monkeypatch.setattr(workspace, "SCOPES", ",".join(each for each in ASKED if each != scope))
    settings = SlackSettings(bot_token="xoxb-sim", app_token="xapp-sim", api_url=f"{department.url}/slack/api/")
    async with open_slack(settings, SystemClock()) as chat:
        with pytest.raises(PermanentError, match=f"lacks the scopes {scope};"):
            await chat.check()


def _method(python: str) -> str:
    """``chat_postMessage`` as Slack writes it."""
    return python.replace("_", ".")


def _granted(method: str) -> bool:
    needed = METHODS[method].scopes
    return not needed or bool(set(needed) & set(ASKED))
