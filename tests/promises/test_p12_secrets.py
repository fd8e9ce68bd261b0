"""Promise 12: no secret leaves the process: not in messages, logs, metrics, errors, audit export."""

import json
from typing import Any

from tests.department import OPS, Department, until
from tests.promises.alerts import alert, notification
from tests.promises.stores import ALSO_TWO
from tests.pult_fixtures import Make
from tests.pult_process import Pult

SECRETS = {
    "slack": "xoxb-" + "1234567890-abcdefghijkl",
    "telegram": "7123456789:" + "AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw1",
    "github": "ghp_" + "16C7e42F292c6912E7710c838347Ae178B4a",
    "digitalocean": "dop_v1_" + "0123456789abcdef" * 4,
    "amazon": "AKIA" + "IOSFODNN7EXAMPLE",
    "jwt": "eyJhbGciOiJIUzI1NiJ9." + "eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U",
    "database": "s3cretPassw0rd",
    "password": "hunter2hunter2",
    "bearer": "b34r3r-t0ken-va1ue",
}
WRITTEN = (
    f"{SECRETS['slack']} {SECRETS['telegram']} {SECRETS['github']} {SECRETS['digitalocean']} {SECRETS['amazon']} "
    f"{SECRETS['jwt']} postgresql://app:{SECRETS['database']}@db.example/prod password={SECRETS['password']} "
    f"Authorization: Bearer {SECRETS['bearer']}"
)
OWN = ("sim-alertmanager-token", "sim-release-secret", "sim-github-secret", "xoxb-sim", "xapp-sim", "424242:SIM",
       "ghs_sim", "dop_v1_sim", "token-anna", "token-vera")  # fmt: skip
"""The secrets of the configuration itself."""


@ALSO_TWO
async def test_what_came_in_with_alerts_releases_and_commands_stays_in(make: Make, department: Department) -> None:
    pult = make()
    pult.arguments = ("--debug",)
    await pult.start()
    answers = [json.dumps(await _said(pult))]
    typed = (f"{words} {WRITTEN}" for words in ("restart api", "frobnicate", "ack", "reject op-2222"))
    for words in ("alerts", "releases api", *typed, "audit", "status"):
        answers.append(json.dumps(await pult.ask("anna", words), ensure_ascii=False))
        answers.append(json.dumps(await pult.ask("vera", words), ensure_ascii=False))
    for (ident,) in pult.rows("SELECT id FROM groups"):
        answers.append(json.dumps(await pult.ask("anna", f"alert {ident}"), ensure_ascii=False))
    await department.slack("slash", user="U0ANNA", channel=OPS, text=f"frobnicate {WRITTEN}")
    await department.telegram("say", user=1001, text=f"/frobnicate {WRITTEN}")
    await until("Slack is not answered", lambda: department.slack_seen("U0ANNA"))
    await until("Telegram is not answered", lambda: department.telegram_messages(1001))
    await department.slack_shows("Leaky", OPS)
    await department.slack_shows("9.9.9", OPS)
    await until("no file was attached", lambda: _files(department))
    await pult.stop()
    _, exported, _ = await pult.run("audit", "export")
    for where, text in {
        "answers": "".join(answers),
        "Slack": json.dumps(await department.slack_messages()) + json.dumps(await department.slack_seen("U0ANNA")),
        "Telegram": json.dumps(await department.telegram_messages()),
        "files": str(await _files(department)),
        "log": pult.log_text(),
        "audit": exported,
    }.items():
        assert text
        for name, secret in SECRETS.items():
            assert secret not in text, f"the {name} secret is in {where}"


@ALSO_TWO
async def test_its_own_secrets_appear_nowhere_not_even_when_everything_fails(
    make: Make, department: Department
) -> None:
    pult = make(server__heartbeat_url="http://127.0.0.1:1/ping/h34rtb34t-uuid")
    pult.arguments = ("--debug",)
    await pult.start()
    for surface in ("slack", "telegram", "prometheus", "github", "digitalocean", "kubernetes"):
        await department.fault("drop", surface)
    await pult.alert(notification(alert("Failing")))
    await pult.alert(notification(alert("Failing")), token="sim-alertmanager-tokem")
    said = [
        json.dumps(await pult.ask("anna", words)) for words in ("status", "slo api", "restart api", "failover status")
    ]
    async with department.session.get(f"{pult.url}/metrics") as answer:
        said.append(await answer.text())
    async with department.session.get(f"{pult.url}/readyz") as answer:
        said.append(await answer.text())
    async with department.session.get(f"{pult.url}/") as answer:
        said.append(await answer.text())
    await until("nothing fails", lambda: _warned(pult))
    await pult.stop()
    said.append(pult.log_text())
    for secret in (*OWN, "h34rtb34t"):
        for text in said:
            assert secret not in text, text[max(0, text.find(secret) - 300) : text.find(secret) + 100]


async def test_a_broken_configuration_does_not_repeat_its_secrets(make: Make) -> None:
    pult = make(telegram__webhook_secret=f"not allowed {SECRETS['password']}", telegram__mode="webhook")
    pult.configure(
        slack__botttoken=SECRETS["slack"], github__token=17, store__url=f"mysql://a:{SECRETS['database']}@b/c"
    )
    status, _, err = await pult.run("run")
    assert status == 1
    assert not [secret for secret in SECRETS.values() if secret in err], err


async def _said(pult: Pult) -> list[Any]:
    """Alerts, a release and a GitHub release full of secrets."""
    told = {
        "summary": WRITTEN,
        "description": WRITTEN,
        "runbook_url": f"https://u:{SECRETS['database']}@wiki.example/x",
    }
    labels = {
        "password": SECRETS["password"],
        "dsn": f"postgresql://app:{SECRETS['database']}@db/prod",
        "said": WRITTEN,
    }
    many = [alert("Leaky", severity="warning", labels={**labels, "pod": f"p{n}"}, annotations=told) for n in range(14)]
    release = {"service": "api", "version": "9.9.9", "status": "failed", "notes": WRITTEN * 40, "environment": WRITTEN}
    published = {
        "action": "published",
        "release": {"tag_name": "v9.9.8", "body": WRITTEN, "html_url": f"https://x:{SECRETS['database']}@github.com/r"},
        "repository": {"full_name": "dept/api"},
    }
    answers = (
        await pult.alert(notification(*many)),
        await pult.release(release),
        await pult.github("release", published),
    )
    assert [answer.status for answer in answers] == [200, 200, 200]
    return [answer.body for answer in answers]


async def _files(department: Department) -> list[bytes]:
    return department.uploads()


async def _warned(pult: Pult) -> bool:
    return any(line["level"] == "warning" for line in pult.logged())
