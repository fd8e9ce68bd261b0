"""``pult slo rules``: what it writes for real configurations, where it goes, and how it fails."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result

from bot.__main__ import main
from bot.cli.sample import sample
from bot.domain.slorules import countable
from config.department import department
from config.loader import EXAMPLE, load
from tests.deploy.monitoring import promtool


def called(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, ["slo", "rules", *map(str, arguments)])


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """The configuration that ``pult simulate`` prints."""
    path = tmp_path / "pult.toml"
    path.write_text(sample("http://127.0.0.1:9000", port=8080, store="sqlite:///pult.db", kubeconfig="kubeconfig"))
    return path


def test_rules_of_the_sample_and_of_the_example_are_valid(config: Path, tmp_path: Path) -> None:
    for path in (config, EXAMPLE):
        answer = called("--config", path)
        assert answer.exit_code == 0, answer.stderr
        assert answer.stderr == ""
        written = [rule for group in yaml.safe_load(answer.stdout)["groups"] for rule in group["rules"]]
        about = [rule["labels"] for rule in written if rule.get("record") == "pult_slo_info"]
        slos = department(load(path, sealed=True)).slos
        assert [(each["service"], each["slo"]) for each in about] == [(s.service, s.name) for s in slos if countable(s)]
        assert {"api"} <= {each["service"] for each in about}
        (tmp_path / "slo.yml").write_text(answer.stdout)
        done = promtool("check", "rules", "--lint-fatal", tmp_path / "slo.yml")
        assert done.returncode == 0, done.stdout + done.stderr


def test_the_same_configuration_gives_the_same_file(config: Path) -> None:
    assert called("--config", config).stdout == called("--config", config).stdout


def test_the_example_needs_none_of_its_secrets() -> None:
    """It names files under /run/secrets and variables that are not there."""
    answer = called("--config", EXAMPLE)
    assert answer.exit_code == 0
    assert "sealed" not in answer.stdout


def test_runbooks_are_where_the_configuration_says(config: Path) -> None:
    assert "runbook_url" not in called("--config", config).stdout
    assert "/docs/runbooks/SloBurn.md" in called("--config", EXAMPLE).stdout


def test_alerts_speak_russian_where_that_is_asked(tmp_path: Path) -> None:
    """The same rules; what people read of them, and where the links lead, is another language."""
    english, russian = (called("--config", EXAMPLE, "--locale", locale) for locale in ("en", "ru"))
    (tmp_path / "slo.yml").write_text(russian.stdout)
    done = promtool("check", "rules", "--lint-fatal", tmp_path / "slo.yml")
    assert done.returncode == 0, done.stdout + done.stderr
    pairs = list(zip(_rules(english), _rules(russian), strict=True))
    notes = [(one.pop("annotations", {}), other.pop("annotations", {})) for one, other in pairs]
    assert [one for one, other in pairs if one != other] == []
    for _, other in filter(all, notes):
        assert "/docs/runbooks/ru/Slo" in other["runbook_url"]
        for text in (other["summary"], other["description"]):
            words = re.findall(r"[A-Za-z]{3,}", re.sub(r"\{\{.*?\}\}", "", text))
            assert set(words) <= {"Prometheus", "pult", "toml"}
    assert called("--config", EXAMPLE, "--locale", "de").exit_code == 2


def _rules(answer: Result) -> list[dict[str, Any]]:
    return [rule for group in yaml.safe_load(answer.stdout)["groups"] for rule in group["rules"]]


def test_rare_samples_are_heeded() -> None:
    windows = {
        interval: {
            rule["labels"]["window"]
            for group in yaml.safe_load(called("--config", EXAMPLE, "--scrape-interval", interval).stdout)["groups"]
            for rule in group["rules"]
            if rule.get("record", "").startswith("slo:sli_error:ratio_rate")
        }
        for interval in ("30s", "5m")
    }
    assert windows["30s"] == {"5m", "30m", "1h", "2h", "6h", "1d", "3d", "30d"}
    assert windows["5m"] == {"20m", "30m", "1h", "2h", "6h", "1d", "3d", "30d"}


def test_without_slos_it_says_what_to_add(config: Path) -> None:
    text = config.read_text()
    head, tail = text.split("[[slos]]", 1)[0], "[github]" + text.split("[github]", 1)[1]
    config.write_text(head + tail)
    answer = called("--config", config)
    assert (answer.exit_code, answer.stdout) == (1, "")
    assert answer.stderr == "pult: no SLO is configured, so there are no rules to write: add a table [[slos]]\n"


def test_a_wrong_configuration_writes_nothing(config: Path) -> None:
    config.write_text(config.read_text().replace("objective = 99.9", "objective = 999"))
    answer = called("--config", config)
    assert (answer.exit_code, answer.stdout) == (1, "")
    assert "slos[availability].objective" in answer.stderr or "slos[0].objective" in answer.stderr


@pytest.mark.parametrize("wrong", ["0s", "1x", "soon", ""])
def test_an_interval_that_is_none_is_misuse(config: Path, wrong: str) -> None:
    answer = called("--config", config, "--scrape-interval", wrong)
    assert (answer.exit_code, answer.stdout) == (2, "")
    assert "--scrape-interval" in answer.stderr
