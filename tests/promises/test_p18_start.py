"""Promise 18: bad configuration never starts; a dependency that is down at start does not stop the rest."""

from pathlib import Path

import pytest

from tests.department import Department, until
from tests.promises.alerts import fires
from tests.promises.stores import ALSO_TWO
from tests.pult_fixtures import Make
from tests.pult_process import Pult
from tests.real import free_port

BAD = {
    "an unknown key": ({"server__prot": 1}, "server.prot", "did you mean"),
    "a wrong type": ({"server__port": "many"}, "server.port", "found"),
    "no last route": ({"routes": [{"match": {"severity": "critical"}, "to": ["slack:C0INC"]}]}, "routes", "last"),
    "an unknown destination": ({"routes": [{"to": ["slakc:C0INC"]}]}, "routes", "slack"),
    "an unknown person": ({"oncall": {"rotation": ["ana"]}}, "oncall.rotation", "did you mean anna"),
    "an unknown policy": ({"policy": {"promot": {"approvals": 1}}}, "policy.promot", "did you mean promote"),
    "two witnesses": ({"failover__witnesses": [{"name": "a", "cluster": "nyc2"}]}, "failover.witnesses", "3"),
    "an open console for the world": ({"server__host": "0.0.0.0"}, "console.open", "loopback"),
    "a missing secret file": ({"github__token": {"file": "/nowhere/at/all"}}, "github.token", "/nowhere/at/all"),
    "a store nobody knows": ({"store__url": "mysql://db/pult"}, "store.url", "sqlite"),
}


@pytest.mark.parametrize("what", BAD)  # refused before any store is opened: by one replica as by two
async def test_bad_configuration_exits_with_the_place_and_never_listens(make: Make, what: str) -> None:
    changes, place, hint = BAD[what]
    pult = make(**changes)
    status, out, err = await pult.run("run")
    assert status == 1
    assert place in err
    assert hint in err
    assert out == ""
    assert "Traceback" not in err
    assert "accepting" not in err
    assert not Path(pult.store.removeprefix("sqlite:///")).exists()


async def test_a_store_that_cannot_be_opened_is_a_sentence_too(make: Make, tmp_path: Path) -> None:
    for url in (f"sqlite:///{tmp_path}/no/such/folder/pult.db", f"postgresql://pult@127.0.0.1:{free_port()}/pult"):
        pult = make(store={"url": url})
        status, _, err = await pult.run("run")
        assert status == 1
        assert err.startswith("pult: the store can't be opened")
        assert len(err.strip().splitlines()) == 1
    (tmp_path / "text.db").write_text("this is no database, and long enough to look like one" * 50)
    status, _, err = await make(store={"url": f"sqlite:///{tmp_path}/text.db"}).run("run")
    assert status == 1
    assert len(err.strip().splitlines()) == 1


@ALSO_TWO
async def test_with_everything_down_it_starts_accepts_and_answers_and_delivers_later(
    make: Make, department: Department
) -> None:
    pult = make()
    for surface in ("slack", "telegram", "prometheus", "alertmanager", "kubernetes", "github", "digitalocean"):
        await department.fault("drop", surface)
    await pult.start()
    assert (await pult.alert(fires("Early"))).status == 200
    assert (await pult.ask("anna", "alerts"))["ok"]
    status = await pult.ask("anna", "status")
    assert "unknown" in status["text"]
    assert pult.process is not None
    assert pult.process.returncode is None
    await department.recovers()
    await department.shows("Early")
    await department.slack("slash", user="U0ANNA", channel="C0OPS", text="whoami")


@ALSO_TWO
async def test_one_chat_that_refuses_us_does_not_stop_the_other(make: Make, department: Department) -> None:
    pult = make(slack__bot_token="xoxb-revoked", slack__app_token="xapp-revoked")
    await pult.start()
    await pult.alert(fires("OneLeft"))
    await department.telegram_shows("OneLeft")
    await until("nobody is told", lambda: _says(pult, "slack:C0INC"))  # another replica says it with its next renewal


@ALSO_TWO
async def test_an_address_where_nobody_listens_does_not_stop_the_start(make: Make, department: Department) -> None:
    nobody = f"http://127.0.0.1:{free_port()}"
    pult = make(telegram__api_url=nobody, prometheus__url=nobody, github__api_url=nobody)
    await pult.start()
    await pult.alert(fires("Nobody"))
    await department.slack_shows("Nobody")


async def _says(pult: Pult, text: str) -> bool:
    return text in (await pult.ask("anna", "status"))["text"]
