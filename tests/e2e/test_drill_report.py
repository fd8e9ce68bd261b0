"""A drill and a failover of the simulated department, and what they came to: in the chats, as a page, as a picture.

``WRITE_IMAGES=1`` writes docs/reports and their pictures in docs/images anew: look at them.
"""

from __future__ import annotations

import os
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from tests.department import Department, until
from tests.docs import DOCS
from tests.e2e.test_failover import CONNECTIONS, THERE, begun, fresh
from tests.probed import Probe, probe
from tests.pult_fixtures import Make
from tests.pult_process import Pult
from tests.releasing import says

__all__ = ["fresh", "probe"]
SLOW = pytest.mark.timeout(240)
LEVELS = [["person:boris"]]


async def started(make: Make, probe: Probe, answer: str) -> Pult:
    """Whoever is on call and boris are asked in a drill."""
    pult = make(
        failover__connections=CONNECTIONS, failover__probes=[probe.url], failover__drill={"answer": answer},
        oncall__rotation=["anna"], oncall__levels=LEVELS,
    )  # fmt: skip
    await pult.start()
    return pult


async def pages(pult: Pult, ident: str, name: str, folder: Path) -> str:
    """The page in both languages, with a picture for light and one for dark: written for keeps where that is asked."""
    keep = bool(os.environ.get("WRITE_IMAGES"))
    found = {}
    for locale, theme in (("en", "light"), ("ru", "dark")):
        stem = f"{name}-{theme}" if theme == "dark" else name
        picture = (DOCS / "images" if keep else folder) / f"{stem}.png"
        status, out, error = await pult.run(
            "report", ident, "--locale", locale, "--picture", str(picture), "--theme", theme
        )
        assert status == 0, error
        assert Image.open(BytesIO(picture.read_bytes())).format == "PNG"
        assert f"]({stem}.png)" in out
        found[locale] = out.replace(f"]({stem}.png)", f"](../images/{stem}.png)")
        if keep:
            (DOCS / "reports").mkdir(exist_ok=True)
            (DOCS / "reports" / (f"{name}.md" if locale == "en" else f"{name}.{locale}.md")).write_text(found[locale])
    assert found["en"] != found["ru"]
    return found["en"]


@SLOW
async def test_a_drill_asks_people_and_is_reported(
    make: Make, department: Department, probe: Probe, tmp_path: Path
) -> None:
    pult = await started(make, probe, "90s")
    ident = await begun(pult, "drill")
    await says(pult, ident, "waiting for")
    await until("anna is not asked", lambda: _asked(department, 1001))
    await department.telegram("press", user=1001, chat=1001, button="I am here")
    await says(pult, ident, "1 answered")
    await pult.kill()
    await pult.start()
    assert "after" in (await pult.ask("boris", f"drill here {ident}", locale="en"))["text"]
    card = await pult.becomes(ident, "succeeded")
    assert "answered: anna, boris" in card
    assert await _questions(department, 1001) == 1, "a crash asks nobody twice"
    page = await pages(pult, ident, "drill-report", tmp_path)
    assert "Nothing would have held a failover up" in page
    assert "| anna |" in page
    assert "telegram" in page
    history = (await pult.ask("vera", "drill history", locale="en"))["text"]
    assert ident in history


@SLOW
async def test_a_failover_is_reported(make: Make, department: Department, probe: Probe, tmp_path: Path) -> None:
    pult = await started(make, probe, "90s")
    ident = await begun(pult, THERE)
    await pult.becomes(ident, "succeeded")
    page = await pages(pult, ident, "failover-report", tmp_path)
    assert "## Timeline" in page
    assert "within the goal of 15" in page
    assert ident in (await pult.ask("vera", "failover report", locale="en"))["text"]
    await until("nobody is told", lambda: _told(department, ident))


async def _asked(department: Department, chat: int) -> bool:
    return await _questions(department, chat) > 0


async def _questions(department: Department, chat: int) -> int:
    messages = await department.telegram_messages(chat)
    return sum("would you answer" in str(each) or "you are there" in str(each) for each in messages)


async def _told(department: Department, ident: str) -> bool:
    """The report stands in the chat where the plan's card does."""
    messages = await department.slack_messages()
    return any("RTO" in str(each) and f"failover report {ident}" in str(each) for each in messages)
