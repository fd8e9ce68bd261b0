"""Promise 7, on the way back: an undo killed at any step resumes there, and puts back once."""

import asyncio
from typing import Any

import pytest

from tests.department import OPS, Department, until
from tests.probed import Probe, probe
from tests.promises.releases import released
from tests.promises.stores import BOTH
from tests.promises.test_p07_resumes import SLOW, WEB_BY_FLUX, _killed_once, _runs
from tests.pult_fixtures import Make
from tests.pult_process import Pult

__all__ = ["probe"]


def verified(pult: Pult, name: str, **rules: Any) -> None:
    """Configure how new versions of a service are judged; web is brought by Flux."""
    services = [WEB_BY_FLUX if each["name"] == name == "web" else each for each in pult.settings["services"]]
    changed = [each | {"verification": rules} if each["name"] == name else each for each in services]
    pult.configure(services=changed)


async def bad(make: Make, service: str, version: str, **rules: Any) -> tuple[Pult, str]:
    """A promotion of *version*, approved."""
    pult = make()
    verified(pult, service, **rules)
    await pult.start()
    await released(pult, service, version)
    ident = await pult.proposed("anna", f"promote {service} {version}")
    await pult.ask("boris", f"approve {ident}")
    return pult, ident


def fates(pult: Pult) -> list[str]:
    """What became of each deployment, in the order they were begun."""
    rows = pult.rows("SELECT doc FROM deployments ORDER BY began_at")
    return [doc.partition('"Fate","of":"')[2].partition('"')[0] for (doc,) in rows]


@BOTH
@SLOW
@pytest.mark.timeout(180)
async def test_an_undo_killed_at_each_step_patches_back_once(make: Make, department: Department, probe: Probe) -> None:
    probe.status = 503
    pult, ident = await bad(make, "api", "1.8.0", probes=[{"url": probe.url}])
    card = await pult.becomes(ident, "paused")
    assert "api 1.8.0 is bad in production" in card
    assert "answers 503" in card
    assert fates(pult) == ["bad"]
    await pult.restart()
    probe.status = 200
    before = department.patches("api")
    await pult.ask("anna", f"resume {ident} undo")
    await _killed_once(pult, lambda: department.patches("api") > before)
    await _killed_once(pult, lambda: department.deployment("api")["status"].get("updatedReplicas", 0) > 0)
    await _killed_once(pult, lambda: _runs(department, "api", "1.7.2"))
    card = await pult.becomes(ident, "undone")
    assert department.patches("api") == before + 1
    assert "What ran before of api runs in production again. The way back took" in card
    assert card.count("✔") >= 5, card
    assert fates(pult) == ["back"]
    results = [entry["result"] for entry in await pult.audited()]
    assert results == ["proposed", "approved", "running", "paused", "undo", "running", "undoing", "undone"]


@SLOW
@pytest.mark.timeout(180)
async def test_an_undo_through_git_commits_back_once(make: Make, department: Department, probe: Probe) -> None:
    probe.status = 503
    commits = department.commits("dept/web")
    pult, ident = await bad(make, "web", "5.1.0", probes=[{"url": probe.url}], on_bad="rollback")
    await _killed_once(pult, lambda: department.commits("dept/web") == commits + 1)
    await _killed_once(pult, lambda: department.commits("dept/web") == commits + 2)
    probe.status = 200
    await _killed_once(pult, lambda: not _runs(department, "web", "5.1.0"))
    await pult.becomes(ident, "undone")
    assert department.commits("dept/web") == commits + 2
    assert fates(pult) == ["back"]


@pytest.mark.alone
@SLOW
async def test_a_bake_goes_on_from_when_it_began(make: Make, department: Department, probe: Probe) -> None:
    pult, ident = await bad(make, "api", "1.8.0", bake="12s", probes=[{"url": probe.url}])
    await until("the bake does not begin", lambda: _asked(probe))
    begun = asyncio.get_running_loop().time()
    await until("the card does not say how far it is", lambda: _says(pult, ident, "watched 0 s of 12 s: 4 of 4 pods"))
    await asyncio.sleep(6)
    await pult.restart()
    await pult.becomes(ident, "succeeded")
    assert asyncio.get_running_loop().time() - begun < 12 + 10 + 4, "it would have begun anew"
    assert fates(pult) == ["good"]
    assert probe.asked >= 2


@pytest.mark.timeout(120)
async def test_what_users_feel_is_told_at_once_and_one_press_takes_it_back(make: Make, department: Department) -> None:
    """1.8.1 fails 8 % of requests: no pod notices, the SLO does."""
    pult, ident = await bad(make, "api", "1.8.1", bake="50s", burn=1.0)
    await until("an edit alone would wake nobody", lambda: _replied(department, "is bad in production: availability"))
    await department.slack("press", user="U0BORIS", channel=OPS, button="Undo")
    await pult.becomes(ident, "undone")
    assert _runs(department, "api", "1.7.2")


@pytest.mark.timeout(120)
async def test_a_rollback_by_itself_is_told(make: Make, department: Department) -> None:
    pult, ident = await bad(make, "api", "1.8.1", bake="50s", burn=1.0, on_bad="rollback")
    await department.slack_shows("It is undone now", OPS)
    await pult.becomes(ident, "undone")
    assert _runs(department, "api", "1.7.2")
    assert fates(pult) == ["back"]


async def test_what_nobody_knows_pauses_and_a_person_may_take_it(make: Make, department: Department) -> None:
    pult = make()
    verified(pult, "api", bake="1s")
    await pult.start()
    await released(pult, "api", "1.8.0")
    ident = await pult.proposed("anna", "promote api 1.8.0")
    await department.fault("drop", "prometheus")
    await pult.ask("boris", f"approve {ident}")
    card = await pult.becomes(ident, "paused")
    assert "Nobody knows whether api 1.8.0 is well in production" in card
    assert fates(pult) == ["running"]
    assert (await pult.ask("anna", f"resume {ident} skip"))["ok"]
    card = await pult.becomes(ident, "succeeded")
    assert "It is not verified in production." in card


async def _replied(department: Department, text: str) -> bool:
    return any(message["thread_ts"] for message in await department.slack_messages(OPS, text))


async def _says(pult: Pult, ident: str, text: str) -> bool:
    return text in (await pult.ask("anna", f"op {ident}", locale="en"))["text"]


async def _asked(probe: Probe) -> bool:
    return probe.asked > 0
