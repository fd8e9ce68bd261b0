"""Promise 9: who is not listed learns nothing; who is listed without the role can look but not touch."""

import pytest

from tests.department import INCIDENTS, OPS, Department, holds, shown, until
from tests.promises.alerts import fires
from tests.promises.stores import ALSO_TWO
from tests.pult_process import Pult

MALLORY, MALLORY_TG, VERA, VERA_TG = "U0MALLORY", 6666, "U0VERA", 1004
WORDS = ("status", "help", "help promote", "whoami", "alerts", "slo api", "pods api", "ops", "audit", "restart api",
         "approve op-2222", "promote api 1.8.0", "nonsense", "апи", "failover status", "releases api",
         "drain nyc2-pool-a-1", "audit posture", "cost", "rightsize web", "scale web 4", "events api")  # fmt: skip
NAMES = (
    "bots",
    "worker",
    "web",
    "nyc2",
    "sfo3",
    "production",
    "staging",
    "anna",
    "boris",
    "chen",
    "vera",
    "1.7.2",
    "sre",
)


async def test_an_outsider_learns_no_name_in_any_chat(pult: Pult, department: Department) -> None:
    for words in WORDS:
        await department.slack("slash", user=MALLORY, channel=OPS, text=words)
        await department.telegram("say", user=MALLORY_TG, text=f"/{words}")
    await until("Slack does not answer each", lambda: _count(department.slack_seen(MALLORY), len(WORDS)))
    await until("Telegram does not answer each", lambda: _count(department.telegram_messages(MALLORY_TG), len(WORDS)))
    for message, own in (
        *((message, f"slack:{MALLORY}") for message in await department.slack_seen(MALLORY)),
        *((message, f"telegram:{MALLORY_TG}") for message in await department.telegram_messages(MALLORY_TG)),
    ):
        said = shown(message)
        assert own in said
        assert not [name for name in NAMES if name in said.replace("pult", "")], said
        assert not message["buttons"]
        assert " api" not in said
    assert not await department.slack_messages(OPS)
    assert pult.count("operations") == 0


@ALSO_TWO
async def test_an_outsider_in_a_shared_chat_is_answered_and_shown_nothing(pult: Pult, department: Department) -> None:
    await department.slack("say", user=MALLORY, channel=OPS, text="status", mention=True)
    await department.telegram("say", user=MALLORY_TG, chat=-1001000000001, text="/status@pult_sim_bot")
    seen = await until("no answer on Slack", lambda: _holding(department, MALLORY, f"slack:{MALLORY}"))
    told = await department.telegram_shows(f"telegram:{MALLORY_TG}", -1001000000001)
    for message in (*seen, told):
        assert not [name for name in NAMES if name in shown(message)], message["text"]


@ALSO_TWO
async def test_an_outsiders_press_is_refused_and_audited(pult: Pult, department: Department) -> None:
    await pult.alert(fires("Pressed"))
    await department.shows("Pressed")
    ident = await pult.proposed("anna", "restart worker")
    await department.slack_shows("Restart worker", OPS)
    await department.slack("press", user=MALLORY, channel=OPS, button="Approve")
    await department.slack("press", user=MALLORY, channel=INCIDENTS, button="Ack")
    await department.telegram("press", user=MALLORY_TG, chat=-1001000000001, button="Ack")

    async def refusals() -> bool:
        told = await department.slack_seen(MALLORY)
        presses = await department.telegram_presses(MALLORY_TG)
        return len(told) == 2 and bool(presses) and all(press["answer"] is not None for press in presses)

    await until("the outsider was not told", refusals)
    assert await pult.state(ident) == "waiting for approval"
    assert "Held by" not in (await department.slack_shows("Pressed"))["text"]
    denied = [entry for entry in await pult.audited() if entry["result"] in {"denied", "refused"}]
    assert {(entry["platform"], entry["action"]) for entry in denied} == {
        ("slack", "approve"),
        ("slack", "ack"),
        ("telegram", "ack"),
    }


@ALSO_TWO
async def test_a_viewer_looks_and_does_not_touch(pult: Pult, department: Department) -> None:
    await pult.alert(fires("Looked"))
    await department.shows("Looked")
    ident = await pult.proposed("anna", "restart worker")
    for words in (
        "status",
        "alerts",
        "slo api",
        "pods api",
        "releases",
        "cost",
        "cost api",
        "ops",
        f"op {ident}",
        "audit",
        "failover status",
    ):
        assert (await pult.ask("vera", words))["ok"], words
    alert = str(pult.rows("SELECT id FROM groups")[0][0])
    forbidden = (
        "restart api", "promote api 1.8.0", "failover nyc2 to sfo3", "drill", "cordon nyc2-pool-a-1",
        "uncordon nyc2-pool-a-1", "drain nyc2-pool-a-1", "scale worker 3", "undo worker", f"approve {ident}",
        f"reject {ident}", f"cancel {ident}", f"resume {ident} retry", f"ack {alert}", f"silence {alert} 1h",
        f"unsilence {alert}",
    )  # fmt: skip
    for words in forbidden:
        answer = await pult.ask("vera", words)
        assert not answer["ok"], words
        assert answer["op"] is None
    await department.slack("slash", user=VERA, channel=OPS, text="restart api")
    await department.telegram("say", user=VERA_TG, text="/перезапусти api")
    await until("Slack does not refuse", lambda: department.slack_seen(VERA))
    await until("Telegram does not refuse", lambda: department.telegram_messages(VERA_TG))
    assert pult.count("operations") == 1
    assert await pult.state(ident) == "waiting for approval"
    assert department.patches("api") == department.patches("worker") == 0
    refused = [entry for entry in await pult.audited() if entry["person"] == "vera"]
    assert len(refused) == len(forbidden) + 2
    assert {entry["result"] for entry in refused} <= {"denied", "refused"}


@pytest.mark.parametrize("words", ["restart api", "approve op-2222"])
async def test_a_role_in_another_environment_is_not_enough(make, words: str) -> None:
    pult = make(policy={"restart": {"environments": ["staging"]}})
    await pult.start()
    answer = await pult.ask("anna", words)
    assert not answer["ok"]
    assert pult.count("operations") == 0


async def _count(found, count: int) -> bool:
    return len(await found) >= count


async def _holding(department: Department, user: str, text: str) -> list[dict]:
    everywhere = [*await department.slack_seen(user), *await department.slack_messages(OPS)]
    return [message for message in everywhere if holds(message, text)]
