"""A fresh reader's walk through docs/getting-started.md: every block pasted in its order, with real processes."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from bot.simulator.kubernetes import images
from tests.department import INCIDENTS, INCIDENTS_TG, OPS, Department, shown, until
from tests.docs_blocks import blocks
from tests.e2e.walk import Walk, asked, walk
from tests.real import installed

PAGE = Path(__file__).parents[2] / "docs" / "getting-started.md"
FORWARD = 'pult ask "promote api 1.8.0"'


@pytest.mark.timeout(400)
async def test_from_the_first_line_to_production(department: Department, tmp_path: Path) -> None:
    installed("amtool")
    async with walk(department, tmp_path) as reader:
        said: dict[str, str] = {}
        for block in blocks(PAGE):
            if FORWARD in block.text:
                await _pipeline(department, reader)
            await reader.types(block)
            said[block.text] = reader.said
            if FORWARD in block.text:
                await _approved(reader)
        await reader.stop()
    everything = "\n".join(said.values())
    assert "\nfail" not in everything
    assert "ok    slack: pult in Department, hears over Socket Mode" in everything
    assert "PoolExhausted" in everything
    assert "unbroken" in everything
    running = department.deployment("api")["spec"]["template"]["spec"]["containers"][0]["image"]
    assert images.version_of(running) == "1.8.0"
    slack = [shown(each) for each in await department.slack_messages(INCIDENTS)]
    telegram = [shown(each) for each in await department.telegram_messages(INCIDENTS_TG)]
    for chat in (slack, telegram):
        assert sum("PoolExhausted" in text for text in chat) == 1
    assert any("1.8.0" in shown(each) for each in await department.slack_messages(OPS))


async def _pipeline(department: Department, reader: Walk) -> None:
    """What the department's pipeline does by itself: it tells that a version is ready."""
    secrets = {"release_secret": "RELEASE_SECRET", "github_secret": "GITHUB_WEBHOOK_SECRET"}
    told = {key: reader.secret(name) for key, name in secrets.items()}
    token = reader.secret("ALERTMANAGER_TOKEN")
    await department.happens("target", url=f"http://127.0.0.1:{reader.port}", alertmanager_token=token, **told)
    await department.happens("release", service="api", version="1.8.0", status="ready")


async def _approved(reader: Walk) -> None:
    """Boris presses, and waits until it is over."""
    ident, token = asked(reader.said), reader.secret("BORIS_TOKEN")
    headers = {"Authorization": f"Bearer {token}"}

    async def answer(text: str) -> str:
        url = f"http://127.0.0.1:{reader.port}/api/ask"
        async with reader.department.session.post(url, json={"text": text, "locale": "en"}, headers=headers) as found:
            return str((await found.json())["text"])

    await answer(f"approve {ident}")

    async def over() -> str | None:
        card = await answer(f"op {ident}")
        assert "failed" not in card.splitlines()[0], card
        await asyncio.sleep(0.2)
        return card if "succeeded" in card.splitlines()[0] else None

    await until("the promotion does not end", over)
