"""``pult runbook failover``: the plan by hand, for whatever the department has configured."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from bot.cli import runbook
from bot.domain.errors import NotReadyError
from bot.domain.failover_steps import FAILBACK, FAILOVER
from config.loader import EXAMPLE, load
from config.settings import Settings

SETTINGS = load(EXAMPLE, sealed=True)


def moved(**changes: object) -> Settings:
    """The example with another failover."""
    assert SETTINGS.failover is not None
    return SETTINGS.model_copy(update={"failover": SETTINGS.failover.model_copy(update=changes)})


def self_run() -> Settings:
    """Its staging's servers, as production."""
    assert SETTINGS.failover is not None
    assert SETTINGS.failover.drill.staging is not None
    staging = SETTINGS.failover.drill.staging
    return moved(database=staging.database, traffic=staging.traffic)


def shells(text: str) -> list[str]:
    return re.findall(r"^```sh\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("locale", ["en", "ru"])
@pytest.mark.parametrize("settings", [SETTINGS, self_run()], ids=["managed", "self-run"])
def test_what_is_to_be_typed_is_a_shell_s_language(settings: Settings, locale: str) -> None:
    found = shells(runbook.page(settings, locale))
    assert len(found) > 15
    for each in found:
        checked = subprocess.run(["/bin/bash", "-n"], input=each, text=True, capture_output=True, check=False)
        assert checked.returncode == 0, (each, checked.stderr)


def test_its_steps_are_the_plan_s_in_the_plan_s_order() -> None:
    there, back = re.split(r"^# The way back.*$", runbook.page(SETTINGS, "en"), flags=re.MULTILINE)
    assert len(re.findall(r"^## \d+\. ", there, re.MULTILINE)) == len(FAILOVER)
    assert len(re.findall(r"^## \d+\. ", back, re.MULTILINE)) == len(FAILBACK) - 1, "no connections of nyc2 in it"
    assert there.index("Fence the database") < there.index("Promote the database")
    assert "Never skip this one" in there[there.index("Fence the database") : there.index("Promote the database")]


def test_a_fence_is_never_an_empty_list() -> None:
    text = runbook.page(SETTINGS, "en")
    for line in re.findall(r"^doctl databases firewalls replace.*$", text, re.MULTILINE):
        assert "--rule ip_addr:192.0.2.1" in line


def test_it_holds_no_secret(tmp_path: Path) -> None:
    """Not even where the configuration has one that can be read."""
    whole = EXAMPLE.read_text().replace('dsn = { env = "STAGING_DB_NYC2" }', 'dsn = "postgresql://pult:hunter2@pg/app"')
    path = tmp_path / "pult.toml"
    path.write_text(whole)
    settings = load(path, sealed=True)
    assert settings.failover is not None
    assert settings.failover.drill.staging is not None
    staged = settings.failover.drill.staging
    text = runbook.page(moved(database=staged.database, traffic=staged.traffic), "en")
    assert "hunter2" not in text
    assert '"$DSN_NYC2"' in text


def test_self_run_servers_are_fenced_promoted_and_rejoined_by_what_runs_them() -> None:
    text = runbook.page(self_run(), "en")
    assert "scale statefulset postgres --replicas=0" in text
    assert "select pg_promote(true, 60)" in text
    assert "pg_rewind --target-pgdata" in text
    assert "region_priorities" in text, "a balancer in place of a record"
    back = text[text.index("# The way back") :]
    assert "droplet-action power-off 205545371" in back


def test_without_a_failover_there_is_nothing_to_write() -> None:
    with pytest.raises(NotReadyError, match=r"\[failover\]"):
        runbook.page(SETTINGS.model_copy(update={"failover": None}), "en")
